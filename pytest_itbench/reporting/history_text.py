"""The history of models and scenarios as text tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_itbench.domain.outcome import Verdict
from pytest_itbench.errors import OptionMistake
from pytest_itbench.history import (
    Discrimination,
    ModelPoint,
    ScenarioPoint,
    find_constant_scenarios,
    find_course_of_models,
    find_course_of_scenario,
    list_unreadable,
)
from pytest_itbench.reporting.export import render_text
from pytest_itbench.reporting.tables import Table, clean, describe_rate
from pytest_itbench.reporting.wording import NOT_KNOWN, first_line, plural
from pytest_itbench.run_index import refresh_index

FIGURES = ("Attempts", "Solved", "Scored", "Invalid", "pass@1", "Cost, $")
SAYS = {Verdict.SOLVED: "always", Verdict.MISSED: "never"}


def describe_history(reports: Path, *, model: str | None = None, scenario: str | None = None, last: int = 10) -> str:
    """The newest `last` runs: of models and the scenarios that tell none apart, or of one scenario.

    `model` is a label or ``KIND:NAME``. The text ends with a line end.

    Raises:
        OptionMistake: there is no such directory, model or scenario.
    """
    if last < 1:
        raise OptionMistake(f"--last must be at least 1, not {last}")
    index = refresh_index(reports)
    if scenario is None:
        course = find_course_of_models(index, model=model, last=last)
        table = _tabulate_models(course)
        found = find_constant_scenarios(index, model=model, last=last)
        constant = _tabulate_constant(found)
        closing = [render_text(constant) if constant.rows else constant.title]
    else:
        points = find_course_of_scenario(index, scenario, model=model, last=last)
        table, closing = _tabulate_scenario(scenario, points), []
    if not table.rows:
        asked = [f"model {model}"] * (model is not None) + [f"scenario {scenario}"] * (scenario is not None)
        raise OptionMistake(f"no run in {reports} has {' with '.join(asked) or 'an outcome'}")
    unreadable = [f"not read: {clean(run.run)}: {first_line(run.problem)}" for run in list_unreadable(index)]
    return "\n\n".join([render_text(table), *closing, *unreadable]) + "\n"


def _tabulate_models(points: Iterable[ModelPoint]) -> Table:
    rows = (
        (*_name_point(point), str(point.scenarios), *_figures(point), "" if point.alike else "other scenarios")
        for point in points
    )
    return Table(
        title="Models over runs: pass@1 in per cent, with 95 % intervals",
        header=("Model", "Run", "Started (UTC)", "Scenarios", *FIGURES, "Since the run before"),
        words=3,
        rows=tuple(rows),
    )


def _tabulate_scenario(scenario: str, points: Iterable[ScenarioPoint]) -> Table:
    return Table(
        title=f"Scenario {clean(scenario)} over runs: pass@1 in per cent, with 95 % intervals",
        header=("Model", "Run", "Started (UTC)", *FIGURES, "Since the run before"),
        words=3,
        rows=tuple((*_name_point(point), *_figures(point), "" if point.alike else "changed") for point in points),
    )


def _tabulate_constant(found: Discrimination) -> Table:
    return Table(
        title=_describe_discrimination(found),
        header=("Scenario", "Domain", "Solved", "Models", "Runs", "Scored attempts"),
        words=3,
        rows=tuple(
            (
                clean(each.scenario),
                clean(each.domain),
                SAYS[each.verdict],
                *map(str, (each.models, each.runs, each.attempts)),
            )
            for each in found.constant
        ),
    )


def _name_point(point: ModelPoint | ScenarioPoint) -> tuple[str, str, str]:
    return clean(point.model), clean(point.run), f"{point.started:%Y-%m-%d %H:%M}"


def _figures(point: ModelPoint | ScenarioPoint) -> Iterator[str]:
    counts = point.tally
    yield from map(str, (counts.total, counts.solved, counts.scored, counts.invalid))
    yield describe_rate(point.pass_at_1)
    yield NOT_KNOWN if point.cost is None else f"{point.cost:.4f}"


def _describe_discrimination(found: Discrimination) -> str:
    if not found.scenarios:
        return "No run of a model other than oracle and noop has a scored attempt."
    return (
        f"{len(found.constant)} of {plural(found.scenarios, 'scenario')} always or never solved in the newest"
        f" {plural(len(found.runs), 'run')}, which tells no models apart (oracle and noop aside)"
    )
