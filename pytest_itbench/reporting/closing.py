"""The lines around the summary at the end of a session: what could not be tried, was spent, written and kept."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pytest_itbench.domain.outcome import Outcome
from pytest_itbench.reporting.wording import plural, printable
from pytest_itbench.running import ENTER, read_enter


def render_untried(reasons: Mapping[str, int], width: int) -> Iterator[str]:
    """Why attempts could not be made on this machine, `width` columns wide; `reasons` counts them."""
    for reason, count in reasons.items():
        yield from textwrap.wrap(
            printable(f"{plural(count, 'attempt')} skipped: {reason}"),
            width,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def render_closing(
    spent: Mapping[str, float], files: Mapping[str, str], outcomes: Iterable[Outcome], place: Path
) -> Iterator[str]:
    """What was spent, where the reports lie, and what was kept.

    Args:
        spent: what the gate of requests counted.
        files: the reports' paths by kind.
        outcomes: those of a run.
        place: the run's directory.
    """
    if line := _describe_spent(spent):
        yield line
    for name, path in files.items():
        yield f"{name + ':':10}{path}"
    yield from _list_kept(outcomes, place)


def _describe_spent(spent: Mapping[str, float]) -> str:
    """What the run asked of providers, in a line; empty when nobody was asked."""
    if not spent["requests"]:
        return ""
    parts = [f"{spent['requests']} requests", f"{spent['tokens']} tokens", f"at most {spent['peak']} at once"]
    parts += [f"${spent['dollars']:.2f}"] if spent["dollars"] else []
    parts += [f"{spent['limited']} refused as too many"] if spent["limited"] else []
    return f"spent:    {', '.join(parts)}"


def _list_kept(outcomes: Iterable[Outcome], place: Path) -> Iterator[str]:
    """How to enter the machines that were kept, and how to remove them; nothing when there are none."""
    kept = [outcome for outcome in outcomes if ENTER in outcome.evidence]
    for outcome in kept:
        yield f"kept:     {read_enter(outcome, place)}  # {outcome.key}"
    if kept:
        yield "          to remove what was kept: pytest-itbench reap --kept"
