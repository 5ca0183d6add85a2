"""The subcommands of ``pytest-itbench`` that work on stored runs."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from pytest_itbench.domain.outcome import FailureKind, Outcome
from pytest_itbench.errors import UserMistake
from pytest_itbench.merging import merge_runs, put_side_by_side
from pytest_itbench.metrics.decision import Decision
from pytest_itbench.option_values import read_margin
from pytest_itbench.options import BY_NAME, OF_THE_RUN
from pytest_itbench.pytest_process import run_pytest
from pytest_itbench.reporting import html
from pytest_itbench.reporting.export import FORMATS, export
from pytest_itbench.reporting.files import write_reports
from pytest_itbench.reporting.history_text import describe_history
from pytest_itbench.reporting.terminal import render_summary
from pytest_itbench.runs import StoredRun, compare_runs, find_baseline, find_run, make_baseline, read_baseline, read_run
from pytest_itbench.solvers.extraction import CUT

WIDTH = 100
NOT_FOR_REGRADE = (*OF_THE_RUN, "itbench_gate", "itbench_baseline", "itbench_early_stop")
"""Options of a project's own runs, which a regrading has from the run or does not need."""
Add = Callable[..., argparse.ArgumentParser]


def add_commands(add: Add) -> None:
    """Add the subcommands; `add` takes a name, a function and a text."""
    compare = add("compare", run_compare, "say whether runs are worse than the first of them, scenario by scenario")
    compare.add_argument("runs", nargs="+", metavar="RUN", help="the old run (or its summary.json), then new ones")
    compare.add_argument("--margin", type=_read_margin, default=0.05, help="how much lower is not worse (0.05)")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write a page with all of them side by side")
    merge = add("merge", run_merge, "put runs together that are parts of one, and write its reports")
    merge.add_argument("target", type=Path, metavar="NEW", help="the new run's directory")
    merge.add_argument("runs", nargs="+", metavar="RUN")
    regrade = add(
        "regrade",
        run_regrade,
        "judge a run's replies anew, as after a correction of validators, and list the verdicts that changed;"
        " further arguments go to pytest (-n auto, -k …)",
    )
    regrade.add_argument("run_name", metavar="RUN")
    regrade.add_argument("paths", nargs="+", metavar="PATH", help="the scenarios")
    exporting = add("export", run_export, "print a run's figures for a paper, a spreadsheet or a program")
    exporting.add_argument("run_name", metavar="RUN")
    exporting.add_argument("--format", choices=tuple(FORMATS), default="itab", help="how (default: itab, plain tables)")
    exporting.add_argument("--output", type=Path, metavar="FILE", help="write there instead")
    history = add("history", run_history, "say how models did over runs, and which scenarios tell no models apart")
    history.add_argument("--model", metavar="M", help="only this one: its label, or KIND:NAME")
    history.add_argument("--scenario", metavar="S", help="how models did at this scenario")
    history.add_argument("--last", type=int, default=10, metavar="N", help="the newest runs that count (default: 10)")
    for parser in (compare, merge, regrade, exporting, history):
        parser.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="where runs lie")


def _read_margin(text: str) -> float:
    try:
        return read_margin(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run_compare(parsed: argparse.Namespace) -> int:
    """Compare each run with the first one; the exit status is that of the gravest finding."""
    first, *others = parsed.runs
    if not others:
        raise UserMistake("compare needs two runs: the old one, then the new one")
    old = read_baseline(find_baseline(first, parsed.reports))
    stored = [read_run(find_run(name, parsed.reports)) for name in others]
    summaries = [run.summarise() for run in stored]
    found = [compare_runs(old, make_baseline(summary), parsed.margin) for summary in summaries]
    decision = Decision(comparisons=tuple(comparison for each in found for comparison in each))
    for summary, comparisons in zip(summaries, found, strict=True):
        print(f"{summary.info.run}:")
        print(render_summary(replace(summary, decision=Decision(comparisons=comparisons)), WIDTH, colour=False), "\n")
    if parsed.html:
        _write_page(parsed, stored, decision)
    return decision.status


def _write_page(parsed: argparse.Namespace, stored: list[StoredRun], decision: Decision) -> None:
    place = find_baseline(parsed.runs[0], parsed.reports)
    runs = ([read_run(place)] if place.is_dir() else []) + stored
    parsed.html.parent.mkdir(parents=True, exist_ok=True)
    summary = put_side_by_side(runs, parsed.html.parent.resolve())
    written = html.write(replace(summary, decision=decision), parsed.html.parent)
    print(written.replace(parsed.html))


def run_merge(parsed: argparse.Namespace) -> int:
    """Merge runs and write the reports of the whole."""
    runs = [read_run(find_run(name, parsed.reports)) for name in parsed.runs]
    merged = merge_runs(runs, parsed.target)
    summary = merged.summarise()
    print(render_summary(summary, WIDTH, colour=False), "\n")
    for name, path in write_reports(summary, parsed.target).items():
        print(f"{name + ':':10}{path}")
    return 0


def run_export(parsed: argparse.Namespace) -> int:
    """Print a run in another format, or write it to a file."""
    text = export(read_run(find_run(parsed.run_name, parsed.reports)).summarise(), parsed.format)
    if not parsed.output:
        print(text, end="")
        return 0
    try:
        parsed.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserMistake(f"--output: {parsed.output} cannot be written: {error.strerror}") from error
    print(parsed.output)
    return 0


def run_history(parsed: argparse.Namespace) -> int:
    """Print what stored runs say about models, or about one scenario."""
    text = describe_history(parsed.reports, model=parsed.model, scenario=parsed.scenario, last=parsed.last)
    print(text, end="")
    return 0


def run_regrade(parsed: argparse.Namespace) -> int:
    """Judge the replies of a run in a pytest of its own, then say what changed."""
    old = read_run(find_run(parsed.run_name, parsed.reports))
    name = _find_free_name(old.directory)
    candidates = old.directory / f"{name}.jsonl"
    lines = [line for outcome in old.outcomes if (line := _make_line(outcome, old.directory))]
    if not lines:
        raise UserMistake(f"run {old.info.run} holds no reply that could be judged")
    candidates.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    options = [
        f"--itbench-candidates={candidates}",
        f"--itbench-run={name}",
        f"--itbench-reports={old.directory.parent}",
        f"--itbench-environment={old.info.environment}",
        *(f"--override-ini={option}=" for option in NOT_FOR_REGRADE),
    ]
    variables = {BY_NAME[option].variable for option in NOT_FOR_REGRADE}
    environment = {variable: value for variable, value in os.environ.items() if variable not in variables}
    status = run_pytest([*parsed.paths, *options], environment)
    place = old.directory.parent / name
    if (place / "run.json").is_file():
        _tell_changes(old, read_run(place))
    else:
        candidates.unlink()
    return status


def _find_free_name(directory: Path) -> str:
    number = 1
    while (directory.parent / f"{directory.name}-regraded-{number}").exists():
        number += 1
    return f"{directory.name}-regraded-{number}"


def _make_line(outcome: Outcome, directory: Path) -> str:
    """A reply as a line of candidates; empty where there was none."""
    path = directory / outcome.evidence.get("reply", "")
    if "reply" not in outcome.evidence or not path.is_file():
        return ""
    key = outcome.key
    record = {
        "scenario": key.scenario,
        "model": key.model,
        "attempt": key.index,
        "level": outcome.level,
        "reply": path.read_text("utf-8"),
        "finish": CUT if outcome.kind is FailureKind.CUT_OFF else "",
        "usage": asdict(outcome.usage),
    }
    return json.dumps(record, ensure_ascii=False)


def _tell_changes(old: StoredRun, new: StoredRun) -> None:
    before = {outcome.key: outcome for outcome in old.outcomes}
    changed = [(before[o.key], o) for o in new.outcomes if o.key in before and before[o.key].verdict != o.verdict]
    for was, now in sorted(changed, key=lambda pair: str(pair[0].key)):
        print(f"{now.key}: {was.verdict}, now {now.verdict}{f' ({now.kind})' if now.kind else ''}")
    print(f"{len(changed)} of {len(new.outcomes)} verdicts changed")
