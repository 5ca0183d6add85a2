"""``summary.md``: GitHub-flavoured Markdown for a job summary or a pull request's comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_itbench.metrics.summary import GroupResult, RunSummary, ScenarioResult, Slice
from pytest_itbench.reporting.decision_text import BAD, GOOD, OPEN, describe_decision
from pytest_itbench.reporting.wording import (
    NOT_KNOWN,
    PARTIAL,
    first_line,
    format_interval,
    format_rate,
    has_one_domain,
    has_partial_rates,
    invalid_causes,
    plural,
    printable,
)

NAME = "summary.md"
FOOTNOTE = f"\\{PARTIAL} leaves out scenarios that have fewer than k scored attempts."
# As numeric references these are text, never structure (GFM specification, section 6.2).
_SPECIAL = frozenset("\\`*_[]<>|~&@#$")


def write(summary: RunSummary, directory: Path) -> Path:
    """Write ``summary.md`` into `directory` and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    path = directory / NAME
    path.write_text(render_markdown(summary), encoding="utf-8")
    return path


def render_markdown(summary: RunSummary) -> str:
    """The whole text; every name and message in it is escaped."""
    parts = [_heading(summary), _models(summary), _domains(summary)]
    parts += [_decision(summary), _kinds(summary), _causes(summary), _scenarios(summary)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """One line of text that Markdown and HTML show to the letter."""
    line = " ".join(printable(text).split())
    return "".join(f"&#{ord(char)};" if char in _SPECIAL else char for char in line)


def _quote(text: str) -> str:
    # GitHub turns @name into a mention after it has resolved references, but not inside code.
    return f"<code>{escape(first_line(text))}</code>" if text.strip() else ""


def _heading(summary: RunSummary) -> str:
    info, totals = summary.info, summary.totals
    counts = f"{totals.solved} solved, {totals.missed} missed, {totals.invalid} invalid"
    lost = f", **{summary.lost} lost**" if summary.lost else ""
    return (
        f"## IT benchmark {escape(info.run)}\n\n"
        f"{plural(totals.total, 'attempt')}: {counts}{lost} · {info.attempts} per scenario and model · "
        f"{escape(info.environment)} · pytest-itbench {escape(info.version)}"
    )


def _models(summary: RunSummary) -> str:
    header = ["Model", "Scenarios", *_figure_names(summary)]
    rows = ([f"**{escape(t.model)}**", str(t.scenarios), *_figures(t)] for t in summary.model_totals)
    footnote = f"\n\n{FOOTNOTE}" if has_partial_rates(summary) else ""
    return _table(header, rows, words=1) + footnote


def _domains(summary: RunSummary) -> str:
    if all(has_one_domain(summary, total.model) for total in summary.model_totals):
        return ""
    header = ["Model", "Domain", "Scenarios", *_figure_names(summary)]
    rows = (
        [escape(group.model), escape(group.value), str(group.scenarios), *_figures(group)]
        for group in summary.groups
        if group.by is Slice.DOMAIN
    )
    return f"### By domain\n\n{_table(header, rows, words=2)}"


def _figure_names(summary: RunSummary) -> list[str]:
    return [*(f"pass@{k}" for k in summary.info.ks), "Solved", "Missed", "Invalid"]


def _figures(group: GroupResult) -> list[str]:
    tally = group.tally
    rates = [escape(f"{format_rate(rate)} {format_interval(rate)}".strip()) for rate in group.pass_at]
    return [*rates, str(tally.solved), str(tally.missed), str(tally.invalid)]


def _decision(summary: RunSummary) -> str:
    if not summary.decision:
        return ""
    marks = {GOOD: "✅", BAD: "❌", OPEN: "⚠️"}
    lines = []
    for tone, said in describe_decision(summary.decision):
        indent = " " * (len(said) - len(said.lstrip()))
        lines.append(f"{indent}- {marks[tone]} {escape(said)}")
    return "### Decision\n\n" + "\n".join(lines)


def _kinds(summary: RunSummary) -> str:
    if not summary.failure_kinds:
        return ""
    header = ["Model", "Verdict", "Failure kind", "Attempts"]
    rows = (
        [escape(entry.model), str(entry.verdict), str(entry.kind), str(entry.count)] for entry in summary.failure_kinds
    )
    return f"### Failure kinds\n\n{_table(header, rows, words=3)}"


def _causes(summary: RunSummary) -> str:
    causes = invalid_causes(summary)
    if not causes:
        return ""
    rows = ([str(c.kind), _quote(c.message), _quote(c.hint), str(c.count)] for c in causes)
    return f"### Invalid attempts\n\n{_table(['Kind', 'Message', 'Hint', 'Attempts'], rows, words=3)}"


def _scenarios(summary: RunSummary) -> str:
    models = [total.model for total in summary.model_totals]
    results = {(result.domain, result.scenario, result.model): result for result in summary.scenarios}
    rows = (
        [
            escape(domain),
            escape(scenario),
            *(_cell(results.get((domain, scenario, model))) for model in models),
        ]
        for domain, scenario in sorted({(domain, scenario) for domain, scenario, _ in results})
    )
    table = _table(["Domain", "Scenario", *map(escape, models)], rows, words=2)
    return f"<details>\n<summary>Solved of scored attempts, by scenario</summary>\n\n{table}\n\n</details>"


def _cell(result: ScenarioResult | None) -> str:
    if result is None:
        return NOT_KNOWN
    tally = result.tally
    return f"{tally.solved}/{tally.scored}" + (f", {tally.invalid} invalid" if tally.invalid else "")


def _table(header: list[str], rows: Iterable[list[str]], words: int) -> str:
    """A table whose first `words` columns hold text and whose others hold figures."""
    marks = [":--" if number < words else "--:" for number in range(len(header))]
    return "\n".join(_lines([header, marks, *rows]))


def _lines(rows: Iterable[list[str]]) -> Iterator[str]:
    for row in rows:
        yield f"| {' | '.join(row)} |"
