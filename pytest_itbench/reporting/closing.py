"""The lines that follow the summary at the end of a session: what was spent, and what was kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pytest_itbench.domain.outcome import Outcome
from pytest_itbench.running import ENTER, read_enter


def render_spent(spent: Mapping[str, float]) -> str:
    """What the run asked of providers, in a line; empty when nobody was asked."""
    if not spent["requests"]:
        return ""
    parts = [f"{spent['requests']} requests", f"{spent['tokens']} tokens", f"at most {spent['peak']} at once"]
    parts += [f"${spent['dollars']:.2f}"] if spent["dollars"] else []
    parts += [f"{spent['limited']} refused as too many"] if spent["limited"] else []
    return f"spent:    {', '.join(parts)}"


def render_kept(outcomes: Iterable[Outcome], place: Path) -> Iterator[str]:
    """How to enter the machines that were kept, and how to remove them; nothing when there are none.

    Args:
        outcomes: those of a run.
        place: the run's directory.
    """
    kept = [outcome for outcome in outcomes if ENTER in outcome.evidence]
    for outcome in kept:
        yield f"kept:     {read_enter(outcome, place)}  # {outcome.key}"
    if kept:
        yield "          to remove what was kept: pytest-itbench reap --kept"
