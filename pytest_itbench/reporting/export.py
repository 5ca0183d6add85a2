"""A run for other programs and for papers: text tables as in ITAB, CSV, JSON, Markdown, LaTeX."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as TextTable
from rich.text import Text

from pytest_itbench.domain.outcome import Outcome
from pytest_itbench.errors import UnknownName
from pytest_itbench.metrics.summary import ModelInfo, RunSummary, Slice
from pytest_itbench.reporting.document import build_document
from pytest_itbench.reporting.markdown import escape
from pytest_itbench.reporting.tables import (
    FOOTNOTE,
    Table,
    clean,
    tabulate_groups,
    tabulate_kinds,
    tabulate_models,
    tabulate_temperatures,
)
from pytest_itbench.reporting.wording import first_line, plural

WIDEST = 10_000
"""Columns of text tables: as many as they need, whatever the terminal has, so that two runs can be compared."""
COLUMNS = (
    *("run", "model", "kind", "name", "level", "temperature", "scenario", "domain", "difficulty", "tags", "index"),
    *("verdict", "stage", "failure_kind", "score", "seconds", "input_tokens", "output_tokens", "cost", "message"),
)
_FORMULA = ("=", "+", "-", "@", "\t")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "\ufffd": "?",
    "-": "-{}",  # of two in a row, which would become one dash
    **{char: f"\\{char}" for char in "{}$&#_%"},
    # At the start of a row they would be an argument of the \\ before it.
    **{char: f"{{{char}}}" for char in "[]*"},
}
_LATEX_SPECIAL = re.compile(f"-(?=-)|[{re.escape(''.join(_LATEX.keys() - {'-'}))}]")

_LATEX_TABLE = r"""\begin{table}
  \centering
  \caption{%s}
  \begin{tabular}{%s}
  \toprule
%s
  \bottomrule
  \end{tabular}
\end{table}"""


def export(summary: RunSummary, format: str) -> str:  # noqa: A002  # as the command line calls it
    """Render a run in one of the `FORMATS`; the text ends with a line end.

    Raises:
        UnknownName: there is no such format.
    """
    if format not in FORMATS:
        raise UnknownName("format", format, tuple(FORMATS))
    return FORMATS[format](summary)


def render_itab(summary: RunSummary) -> str:
    """The tables of ITAB as plain text."""
    tables = (
        tabulate_models(summary),
        tabulate_groups(summary, Slice.DOMAIN),
        tabulate_temperatures(summary),
        tabulate_kinds(summary),
    )
    return "\n\n".join([_describe_run(summary), *map(render_text, filter_tables(tables))]) + "\n"


def render_text(table: Table) -> str:
    """A table as plain text, as wide as its content, without the last line end."""
    made = TextTable(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for number, name in enumerate(table.header):
        made.add_column(Text(name), justify="left" if number < table.words else "right", no_wrap=True)
    for row in table.rows:
        made.add_row(*map(Text, row))
    target = StringIO()
    console = Console(file=target, width=WIDEST, color_system=None, highlight=False, emoji=False, _environ={})
    console.print(made)
    lines = [line.rstrip() for line in target.getvalue().splitlines()]
    return "\n".join([table.title, "", *lines, *([FOOTNOTE] if table.partial else [])])


def render_csv(summary: RunSummary) -> str:
    """A row per attempt, for spreadsheets and data frames."""
    choices = {choice.label: choice for choice in summary.info.choices}
    target = StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for outcome in summary.outcomes:
        row = (summary.info.run, *_list_values(outcome, choices.get(outcome.key.model)))
        writer.writerow([neutralise(clean(cell)) if isinstance(cell, str) else cell for cell in row])
    return target.getvalue()


def neutralise(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def render_json(summary: RunSummary) -> str:
    """The content of ``summary.json``."""
    return json.dumps(build_document(summary), indent=2) + "\n"


def render_markdown(summary: RunSummary) -> str:
    """pass@k by model, domain, difficulty and tag."""
    tables = [tabulate_models(summary)]
    tables += [tabulate_groups(summary, by) for by in (Slice.DOMAIN, Slice.DIFFICULTY, Slice.TAG)]
    parts = [escape(_describe_run(summary)), *map(_render_markdown_table, filter_tables(tables))]
    return "\n\n".join(parts) + "\n"


def render_latex(summary: RunSummary) -> str:
    """Tables of models and of domains by k, for a document that uses booktabs."""
    tables = filter_tables((tabulate_models(summary), tabulate_groups(summary, Slice.DOMAIN)))
    parts = (_render_latex_table(table, clean(summary.info.run)) for table in tables)
    return "\n\n".join([r"% Needs \usepackage{booktabs}.", *parts]) + "\n"


def escape_latex(text: str) -> str:
    """Text that LaTeX sets to the letter, in a table too."""
    return _LATEX_SPECIAL.sub(lambda found: _LATEX[found[0]], clean(text))


def filter_tables(tables: Iterable[Table]) -> Iterator[Table]:
    """Those that have something to say."""
    return (table for table in tables if table.rows)


FORMATS = {
    "itab": render_itab,
    "csv": render_csv,
    "json": render_json,
    "markdown": render_markdown,
    "latex": render_latex,
}


def _describe_run(summary: RunSummary) -> str:
    info, totals = summary.info, summary.totals
    scenarios = len({result.scenario for result in summary.scenarios})
    lost = f", {summary.lost} lost" if summary.lost else ""
    return (
        f"Run {clean(info.run)}: {plural(scenarios, 'scenario')}, "
        f"{plural(info.attempts, 'attempt')} per scenario and model; "
        f"{totals.solved} solved, {totals.missed} missed, {totals.invalid} invalid{lost}"
    )


def _list_values(outcome: Outcome, choice: ModelInfo | None) -> Iterator[str | float | None]:
    """What `COLUMNS` says, after the run."""
    key, usage = outcome.key, outcome.usage
    yield from (key.model, choice.kind if choice else None, choice.name if choice else None, outcome.level)
    yield choice.temperature if choice else None
    yield from (key.scenario, outcome.domain, outcome.difficulty, " ".join(outcome.tags), key.index)
    yield from (outcome.verdict.value, outcome.stage.value, outcome.kind.value if outcome.kind else None)
    yield from (outcome.score, round(sum(outcome.timings.values()), 3))
    yield from (usage.input_tokens, usage.output_tokens, usage.cost, first_line(outcome.message))


def _render_markdown_table(table: Table) -> str:
    marks = [":--" if number < table.words else "--:" for number in range(len(table.header))]
    rows = [list(table.header), marks, *([escape(cell) for cell in row] for row in table.rows)]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"### {table.title}\n\n{lines}" + (f"\n\n{escape(FOOTNOTE)}" if table.partial else "")


def _render_latex_table(table: Table, run: str) -> str:
    caption = f"{table.title}, run {run}." + (f" {FOOTNOTE}" if table.partial else "")
    columns = "l" * table.words + "r" * (len(table.header) - table.words)
    lines = [" & ".join(_list_latex_cells(row, table.words)) + r" \\" for row in (table.header, *table.rows)]
    head, *rows = (f"  {line}" for line in lines)
    body = "\n".join([head, r"  \midrule", *rows])
    return _LATEX_TABLE % (escape_latex(caption), columns, body)


def _list_latex_cells(row: tuple[str, ...], words: int) -> Iterator[str]:
    yield from map(escape_latex, row[:words])
    yield from (escape_latex(figure).replace("-", "--") for figure in row[words:])  # ranges
