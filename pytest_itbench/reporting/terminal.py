"""The summary at the end of a pytest session."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_itbench.metrics.summary import GroupResult, PassAtK, RunSummary
from pytest_itbench.reporting.decision_text import BAD, GOOD, OPEN, describe_decision
from pytest_itbench.reporting.wording import (
    PARTIAL,
    Cause,
    first_line,
    format_interval,
    format_rate,
    has_one_domain,
    has_partial_rates,
    invalid_causes,
    missed_kinds,
    plural,
    printable,
    retried_causes,
    shorten,
)

CAUSES = 4
KINDS = 3
NARROWEST = 40
WIDE = 120
"""Columns from which there is room for intervals."""
COUNTS = (("solved", "green"), ("missed", "red"), ("invalid", "yellow"))
TONES = {GOOD: "green", BAD: "bold red", OPEN: "yellow"}
FOOTNOTE = f"{PARTIAL} leaves out scenarios that have fewer than k scored attempts"


def render_summary(summary: RunSummary, width: int, *, colour: bool) -> str:
    """Render a table of pass@k by model and domain with what went wrong, `width` columns wide.

    The text ends without a line end; `colour` adds ANSI escape sequences.
    """
    width = max(width, NARROWEST)
    target = StringIO()
    console = Console(
        file=target,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        _environ={},
    )
    if summary.groups:
        console.print(_table(summary, width))
    for line in _notes(summary, width):
        console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
    return "\n".join(line.rstrip() for line in target.getvalue().rstrip("\n").splitlines())


def _table(summary: RunSummary, width: int) -> Table:
    headers = [name for name, _ in COUNTS] + [f"pass@{k}" for k in summary.info.ks]
    interval = width >= WIDE
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    room = width - sum(len(header) + 2 for header in headers)
    table.add_column("model, domain", no_wrap=True, overflow="ellipsis", max_width=max(room, 12))
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    for total in summary.model_totals:
        _add_model(table, summary, total.model, interval=interval)
    return table


def _add_model(table: Table, summary: RunSummary, model: str, *, interval: bool) -> None:
    table.add_row(Text(printable(model), style="bold cyan"))
    *domains, total = summary.groups_of(model)
    for group in domains:
        _add_group(table, f"  {printable(group.value)}", group, "", interval=interval)
    if not has_one_domain(summary, model):
        _add_group(table, f"  all {total.scenarios} scenarios", total, "bold", interval=interval)
    table.add_section()


def _add_group(table: Table, name: str, group: GroupResult, style: str, *, interval: bool) -> None:
    tally = (group.tally.solved, group.tally.missed, group.tally.invalid)
    counts = [
        Text(str(count), style=f"{style} {colour}" if count else f"{style} dim")
        for count, (_, colour) in zip(tally, COUNTS, strict=True)
    ]
    rates = [Text(_rate(rate, interval=interval), style=style) for rate in group.pass_at]
    table.add_row(Text(name, style=style), *counts, *rates)


def _rate(rate: PassAtK, *, interval: bool) -> str:
    # The blank keeps the digits of a column below one another.
    text = format_rate(rate)
    text = text if text.endswith(PARTIAL) else f"{text} "
    return f"{text}{format_interval(rate):>12}" if interval else text


def _notes(summary: RunSummary, width: int) -> Iterator[Text]:
    if has_partial_rates(summary):
        yield from _wrapped(FOOTNOTE, width, "dim")
    totals = summary.totals
    yield Text(
        f"{plural(totals.total, 'attempt')}: {totals.solved} solved, {totals.missed} missed, {totals.invalid} invalid"
    )
    if summary.lost:
        yield Text(f"{summary.lost} of {plural(summary.info.planned, 'planned attempt')} lost", style="bold red")
    causes = invalid_causes(summary)
    for cause in causes[:CAUSES]:
        yield from _cause(cause, width)
    if (left := len(causes) - CAUSES) > 0:
        yield Text(f"  and {plural(left, 'other cause')} of invalid attempts", style="yellow")
    if again := retried_causes(summary):
        text = ", ".join(f"{cause} ({count})" for cause, count in again)
        yield from _wrapped(f"tried again, in environments made anew: {text}", width, "yellow")
    for total in summary.model_totals:
        yield from _missed(summary, total.model, width)
    if summary.decision:
        yield Text()
        for tone, said in describe_decision(summary.decision):
            indent = " " * (len(said) - len(said.lstrip()))
            yield from _wrapped(said.strip(), width, TONES[tone], indent=indent)


def _cause(cause: Cause, width: int) -> Iterator[Text]:
    said = f": {cause.message}" if cause.message else ""
    yield Text(shorten(f"{cause.count} invalid: {cause.kind}{said}", width), style="yellow")
    if cause.hint:
        yield from _wrapped(f"hint: {cause.hint}", width, "", indent="    ")


def _missed(summary: RunSummary, model: str, width: int) -> Iterator[Text]:
    kinds = missed_kinds(summary, model)
    if not kinds:
        return
    parts = [f"{kind} ({count})" for kind, count in kinds[:KINDS]]
    others = sum(count for _, count in kinds[KINDS:])
    text = ", ".join(parts + ([f"other ({others})"] if others else []))
    yield from _wrapped(f"{first_line(model, 60)} missed: {text}", width, "red")


def _wrapped(text: str, width: int, style: str, indent: str = "") -> Iterator[Text]:
    for line in textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=f"{indent}  "):
        yield Text(line, style=style)
