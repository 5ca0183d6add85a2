"""A run as text tables, CSV, JSON, Markdown and LaTeX."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from io import StringIO

import pytest

from pytest_itbench.domain.outcome import Outcome, Usage, Verdict
from pytest_itbench.errors import UnknownName
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.summary import ModelInfo, RunSummary, Slice
from pytest_itbench.reporting.document import build_document
from pytest_itbench.reporting.export import COLUMNS, FORMATS, escape_latex, export, neutralise
from pytest_itbench.reporting.tables import tabulate_groups, tabulate_kinds, tabulate_temperatures
from pytest_itbench.testing import outcomes as made

HOSTILE = '=1+1\\{x}$y&z#_%~^[a]*|`<b>@-- \x1b[31m\x00\x1b]0;t\x07,"q"; \u2028 \ud800\r\n\\end{document}\n# head'


def make_attempts(
    scenario: str, letters: str, *, model: str = "m", domain: str = "networking", message: str = ""
) -> list[Outcome]:
    """One attempt per letter: s(olved), m(issed), y: missed by syntax, or i(nvalid)."""
    attempts = made.make_attempts(
        scenario,
        letters,
        model=model,
        domain=domain,
        tags=("ansible", "web"),
        message=message,
        usage=Usage(requests=1, input_tokens=100, output_tokens=20, cost=0.25),
        timings={"environment": 1.5, "validate": 0.25},
    )
    return [replace(attempt, score=float(attempt.verdict is Verdict.SOLVED)) for attempt in attempts]


def make_summary(
    outcomes: list[Outcome],
    *,
    ks: tuple[int, ...] = (1, 3),
    run: str = "night",
    choices: tuple[ModelInfo, ...] = (),
    planned: int = 0,
) -> RunSummary:
    models = dict.fromkeys(outcome.key.model for outcome in outcomes)
    info = made.make_info(*models, run=run, ks=ks, planned=planned or len(outcomes), choices=choices)
    return summarise(outcomes, info)


def choose(label: str, *, temperature: float | None = None, level: int = 2, **sampling: str) -> ModelInfo:
    return ModelInfo(label=label, kind="openai", name="gpt", level=level, temperature=temperature, sampling=sampling)


def read_csv(summary: RunSummary) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(export(summary, "csv"), newline=""), strict=True))


@pytest.fixture
def two() -> RunSummary:
    """Two models by two domains."""
    outcomes = make_attempts("a", "smm", model="x") + make_attempts("b", "sss", model="x", domain="storage")
    outcomes += make_attempts("a", "myi", model="y") + make_attempts("b", "mmm", model="y", domain="storage")
    return make_summary(outcomes)


@pytest.fixture
def hostile() -> RunSummary:
    """A run in which every text that a person or a model could write is hostile."""
    choice = ModelInfo(label=HOSTILE, kind=HOSTILE, name=HOSTILE, level=1)
    outcomes = make_attempts(HOSTILE, "smi", model=HOSTILE, domain=HOSTILE, message=HOSTILE)
    return make_summary(outcomes, run=HOSTILE, choices=(choice,))


# All formats


def test_an_unknown_format_is_refused(two: RunSummary) -> None:
    """The message names the formats that there are."""
    with pytest.raises(UnknownName, match="unknown format 'pdf'; known: itab, csv, json, markdown, latex"):
        export(two, "pdf")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_printable_and_ends_with_a_line_end(hostile: RunSummary, name: str) -> None:
    """No control character and no lone surrogate is in any text, so that it can be shown and encoded."""
    text = export(hostile, name)
    assert text.endswith("\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028]", text)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_bears_an_empty_run(name: str) -> None:
    """A run of which nothing was heard is a text without figures."""
    assert export(make_summary([], planned=2), name)


# itab


def test_itab_has_models_and_domains_by_k(two: RunSummary) -> None:
    """A row has the scenarios and each pass@k in per cent with its interval."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in export(two, "itab").splitlines()]
    assert ["Model", "Scenarios", "pass@1", "pass@3"] in lines
    assert ["y", "2", "0.0 (0.0-65.8)", "0.0* (0.0-79.3)"] in lines
    assert ["x", "storage", "1", "100.0 (43.9-100.0)", "100.0 (82.3-100.0)"] in lines


def test_itab_hides_neither_invalid_nor_lost_attempts(two: RunSummary) -> None:
    """What the figures leave out stands above them."""
    lost = make_summary(list(two.outcomes), planned=20)
    head = "Run night: 2 scenarios, 3 attempts per scenario and model; 4 solved, 7 missed, 1 invalid, 8 lost"
    assert export(lost, "itab").splitlines()[0] == head


def test_itab_explains_its_mark_only_where_it_stands(two: RunSummary) -> None:
    """The footnote follows a table with a partial figure, and no other."""
    assert "* leaves out scenarios" in export(two, "itab")
    assert "*" not in export(make_summary(make_attempts("a", "sss")), "itab")


def test_itab_does_not_depend_on_the_terminal(two: RunSummary, monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow terminal, or one that wants colour, gets the same text."""
    text = export(two, "itab")
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert export(two, "itab") == text
    long = make_summary(make_attempts("a", "s", model="m" * 500))
    assert "m" * 500 in export(long, "itab")


def test_failure_kinds_are_shares_of_missed_attempts(two: RunSummary) -> None:
    """Kinds are sorted by frequency, an invalid attempt has none, and the last row says of how many."""
    table = tabulate_kinds(two)
    assert table.header == ("Failure kind", "x", "y")
    assert table.rows == (
        ("checks failed", "100.0", "80.0"),
        ("syntax", "0.0", "20.0"),
        ("missed attempts", "2", "5"),
    )


def test_a_model_without_misses_has_no_shares() -> None:
    """Nothing divided by nothing is n/a."""
    outcomes = make_attempts("a", "s", model="x") + make_attempts("a", "m", model="y")
    assert tabulate_kinds(make_summary(outcomes)).rows[0] == ("checks failed", "n/a", "100.0")


def test_temperatures_are_columns_of_one_base_model() -> None:
    """Labels that differ in temperature only share a row for each k; a temperature that is not set comes first."""
    outcomes = make_attempts("a", "s", model="warm") + make_attempts("a", "m", model="cold")
    outcomes += make_attempts("a", "m", model="unset")
    choices = (choose("warm", temperature=0.8), choose("cold", temperature=0.2), choose("unset"))
    table = tabulate_temperatures(make_summary(outcomes, choices=choices))
    assert table.header == ("Model", "Figure", "default", "0.2", "0.8")
    assert [row[:2] for row in table.rows] == [("openai:gpt", "pass@1"), ("openai:gpt", "pass@3")]
    assert [cell.split()[0] for cell in table.rows[0][2:]] == ["0.0", "0.0", "100.0"]


def test_one_temperature_makes_no_table(two: RunSummary) -> None:
    """Without several temperatures of one model there is nothing to compare."""
    only = make_summary(make_attempts("a", "s"), choices=(choose("m", temperature=0.2),))
    assert tabulate_temperatures(only).rows == tabulate_temperatures(two).rows == ()
    assert "temperature" not in export(only, "itab")


def test_models_that_differ_in_more_than_temperature_are_not_mixed() -> None:
    """Another level, seed or a second label gives a row of its own, named by what differs."""
    choices = tuple(
        choose(f"{level}-{seed}-{temperature}-{copy}", temperature=temperature, level=level, seed=seed)
        for level in (1, 2)
        for seed in ("7", "8")
        for temperature in (0.2, 0.8)
        for copy in "ab"
    )
    outcomes = [outcome for choice in choices for outcome in make_attempts("a", "s", model=choice.label)]
    table = tabulate_temperatures(make_summary(outcomes, choices=choices, ks=(1,)))
    assert [row[0] for row in table.rows] == [
        f"openai:gpt, level {level}, seed {seed}{number}"
        for level in (1, 2)
        for seed in (7, 8)
        for number in ("", " (2)")
    ]


# CSV


def test_csv_has_a_row_per_attempt() -> None:
    """Every column holds what its name says; what is not known is empty."""
    outcomes = make_attempts("a", "s", message="fine\nreally") + make_attempts("a", "i", model="other")
    first, second = read_csv(make_summary(outcomes, choices=(choose("m", temperature=0.2),)))
    assert tuple(first) == COLUMNS
    assert list(first.values()) == [
        *("night", "m", "openai", "gpt", "2", "0.2", "a", "networking", "easy", "ansible web", "0"),
        *("solved", "validate", "", "1.0", "1.75", "100", "20", "0.25", "fine"),
    ]
    assert (second["kind"], second["temperature"], second["failure_kind"]) == ("", "", "engine")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_csv_cells_are_no_formulas(start: str) -> None:
    """What a spreadsheet would run gets an apostrophe before it, hidden behind an escape sequence too."""
    assert neutralise(f"{start}1") == f"'{start}1"
    text = f"\x1b[31m {start}cmd|' /C calc'!A0"
    (row,) = read_csv(make_summary(make_attempts(text, "m", model=text, message=text), run=text))
    for column in ("run", "model", "scenario", "message"):
        assert not row[column].startswith(("=", "+", "-", "@", "\t", " ", "\x1b"))


def test_csv_leaves_harmless_cells_alone() -> None:
    """No apostrophe stands where none is needed."""
    assert [neutralise(cell) for cell in ("", "a=b", "1-2", "'x")] == ["", "a=b", "1-2", "'x"]


def test_csv_bears_hostile_text(hostile: RunSummary) -> None:
    """Quotes, separators and line ends add neither a column nor a row."""
    rows = read_csv(hostile)
    assert len(rows) == 3
    assert all(None not in row and None not in row.values() for row in rows)
    assert rows[0]["message"].startswith("'=1+1\\{x}$y&z#_%")


# JSON


def test_json_is_the_summary_document(two: RunSummary) -> None:
    """Programs get what summary.json holds."""
    assert json.loads(export(two, "json")) == json.loads(json.dumps(build_document(two)))


# Markdown


def test_markdown_has_a_table_for_each_slice(two: RunSummary) -> None:
    """Models, domains, difficulties and tags each have their rows with intervals."""
    text = export(two, "markdown")
    assert re.findall(r"^### (.*?):", text, re.MULTILINE) == ["Models", "By domain", "By difficulty", "By tag"]
    assert "| x | storage | 1 | 100.0 (43.9-100.0) | 100.0 (82.3-100.0) |" in text
    assert [row[1] for row in tabulate_groups(two, Slice.TAG).rows] == ["ansible", "web", "ansible", "web"]


def test_markdown_bears_hostile_text(hostile: RunSummary) -> None:
    """Untrusted text adds no HTML, no column, no line and no heading."""
    text = export(hostile, "markdown")
    assert "<" not in text
    assert "`" not in text
    assert not re.search(r"^# ", text, re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


# LaTeX


def test_latex_has_booktabs_tables(two: RunSummary) -> None:
    """Models and domains each are a table whose rows have a cell for each column."""
    text = export(two, "latex")
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 2
    assert r"  \begin{tabular}{llrrr}" in text
    assert r"  x & storage & 1 & 100.0 (43.9--100.0) & 100.0 (82.3--100.0) \\" in text
    assert r"100.0{*}" not in text
    assert r"0.0{*} (0.0--79.3)" in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("\\", r"\textbackslash{}"),
        ("{}", r"\{\}"),
        ("$&#_%", r"\$\&\#\_\%"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("\\textbf{x}", r"\textbackslash{}textbf\{x\}"),
        ("a-b--c---d", r"a-b-{}-c-{}-{}-d"),
        ("[2cm]*", r"{[}2cm{]}{*}"),
        ("<|>`", r"\textless{}\textbar{}\textgreater{}\textasciigrave{}"),
        ("a\n\n\x1b[1mb\x00", "a b?"),
        ("Grüße", "Grüße"),
    ],
)
def test_latex_sets_text_to_the_letter(text: str, escaped: str) -> None:
    """Each special character is escaped once, and what an escape adds is not escaped again."""
    assert escape_latex(text) == escaped


def test_latex_bears_hostile_text(hostile: RunSummary) -> None:
    """Untrusted text adds no command, no group, no comment, no cell and no row."""
    text = export(hostile, "latex")
    ours = {"usepackage", "begin", "end", "centering", "caption", "toprule", "midrule", "bottomrule"}
    theirs = {"textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"}
    assert set(re.findall(r"\\([a-z]+)", text)) == ours | theirs | {"textasciigrave"}
    body = text.split("\n", 1)[1]
    assert not re.search(r"(?<!\\)[%#$~^_`]", body)
    assert len(re.findall(r"(?<!\\)\{", body)) == len(re.findall(r"(?<!\\)\}", body))
    assert re.findall(r"\\(?:begin|end)\{(\w+)\}", body) == ["table", "tabular", "tabular", "table"] * 2
    rows = [line for line in body.splitlines() if line.endswith(r" \\")]
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [3, 3, 4, 4]
