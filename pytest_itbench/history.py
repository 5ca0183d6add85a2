"""What stored runs say about models and scenarios over time, from their index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from statistics import fmean

from pytest_itbench.domain.outcome import Verdict
from pytest_itbench.metrics.aggregate import add_tallies
from pytest_itbench.metrics.intervals import find_interval, of_one_scenario
from pytest_itbench.metrics.passk import pass_at_k
from pytest_itbench.metrics.summary import PassAtK, Tally
from pytest_itbench.run_index import open_index

_FIND = """
WITH wanted AS (
    SELECT * FROM results JOIN runs USING (directory)
    WHERE (:model IS NULL OR :model IN (model, kind || ':' || name))
    AND (:scenario IS NULL OR scenario = :scenario)
    -- Of controls it is known beforehand what they come to.
    AND (:controls OR coalesce(nullif(kind, ''), model) NOT IN ('oracle', 'noop'))
)
SELECT directory, started, model, scenario, domain, version, solved, missed, invalid, cost FROM wanted
WHERE directory IN (
    SELECT directory FROM wanted GROUP BY directory ORDER BY max(started) DESC, directory DESC LIMIT :last
)
ORDER BY started, directory, model, scenario
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRun:
    """A run that is not in the index, and why."""

    run: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPoint:
    """What one model came to in one run.

    Attributes:
        run: the name of its directory.
        pass_at_1: the mean over scenarios, with its 95 % interval.
        cost: US dollars; None where no provider said.
        alike: the scenarios are those of the model's run before, to the byte; only then can the two be compared.
    """

    run: str
    started: datetime
    model: str
    scenarios: int
    tally: Tally
    pass_at_1: PassAtK
    cost: float | None
    alike: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPoint:
    """What one model came to at one scenario in one run.

    Attributes:
        alike: the scenario is that of the run before, to the byte.
    """

    run: str
    started: datetime
    model: str
    tally: Tally
    pass_at_1: PassAtK
    cost: float | None
    alike: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantScenario:
    """A scenario that tells no models apart: every scored attempt had the same verdict.

    Attributes:
        models, runs, attempts: how much says so.
    """

    scenario: str
    domain: str
    verdict: Verdict
    models: int
    runs: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrimination:
    """Which scenarios of some runs tell no models apart.

    Attributes:
        runs: those that were looked at, oldest first.
        scenarios: how many have a scored attempt there.
    """

    runs: tuple[str, ...]
    scenarios: int
    constant: tuple[ConstantScenario, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """A row of the index: one model at one scenario in one run."""

    run: str
    started: datetime
    model: str
    scenario: str
    domain: str
    version: str
    tally: Tally
    cost: float | None


def list_unreadable(index: Path) -> tuple[UnreadableRun, ...]:
    """Runs that could not be read."""
    with open_index(index) as connection:
        rows = connection.execute("SELECT directory, problem FROM runs WHERE problem != '' ORDER BY directory")
        return tuple(UnreadableRun(run=run, problem=problem) for run, problem in rows)


def find_course_of_models(index: Path, *, model: str | None = None, last: int | None = None) -> tuple[ModelPoint, ...]:
    """What models came to over the newest `last` runs, or all: by model, oldest run first.

    `model` is a label, or how it is asked: ``KIND:NAME``.
    """
    points: list[ModelPoint] = []
    before: dict[str, frozenset[tuple[str, str]]] = {}
    results = sorted(_find_results(index, model=model, last=last), key=lambda result: result.model)
    for (name, run), group in groupby(results, key=lambda result: (result.model, result.run)):
        members = list(group)
        tried = frozenset((result.scenario, result.version) for result in members)
        points.append(
            ModelPoint(
                run=run,
                started=members[0].started,
                model=name,
                scenarios=len(members),
                tally=add_tallies(result.tally for result in members),
                pass_at_1=_mean_rate(members),
                cost=_add_costs(members),
                alike=before.get(name, tried) == tried,
            )
        )
        before[name] = tried
    return tuple(points)


def find_course_of_scenario(
    index: Path, scenario: str, *, model: str | None = None, last: int | None = None
) -> tuple[ScenarioPoint, ...]:
    """What models came to at a scenario over the newest `last` runs, or all: oldest run first."""
    points: list[ScenarioPoint] = []
    before: str | None = None
    for result in _find_results(index, model=model, scenario=scenario, last=last):
        points.append(
            ScenarioPoint(
                run=result.run,
                started=result.started,
                model=result.model,
                tally=result.tally,
                pass_at_1=_mean_rate([result]),
                cost=result.cost,
                alike=before in (None, result.version),
            )
        )
        before = result.version
    return tuple(points)


def find_constant_scenarios(index: Path, *, model: str | None = None, last: int) -> Discrimination:
    """Scenarios that every model of the newest `last` runs solved always, or never; controls do not count.

    Of a scenario that was changed, only the newest version counts.
    """
    results = list(_find_results(index, model=model, last=last, controls=False))
    newest = {result.scenario: result.version for result in results}
    scored = [result for result in results if result.tally.scored and result.version == newest[result.scenario]]
    by_scenario: dict[str, list[_Result]] = {}
    for result in scored:
        by_scenario.setdefault(result.scenario, []).append(result)
    constant = []
    for scenario, members in sorted(by_scenario.items()):
        total = add_tallies(result.tally for result in members)
        if 0 in (total.solved, total.missed):
            constant.append(
                ConstantScenario(
                    scenario=scenario,
                    domain=members[-1].domain,
                    verdict=Verdict.SOLVED if total.solved else Verdict.MISSED,
                    models=len({result.model for result in members}),
                    runs=len({result.run for result in members}),
                    attempts=total.scored,
                )
            )
    runs = tuple(dict.fromkeys(result.run for result in results))
    return Discrimination(runs=runs, scenarios=len(by_scenario), constant=tuple(constant))


def _find_results(
    index: Path,
    *,
    model: str | None = None,
    scenario: str | None = None,
    last: int | None = None,
    controls: bool = True,
) -> Iterator[_Result]:
    """Rows of the newest `last` runs that have any, oldest run first."""
    limit = -1 if last is None else last
    wanted = {"model": model, "scenario": scenario, "last": limit, "controls": controls}
    with open_index(index) as connection:
        for run, started, label, name, domain, version, solved, missed, invalid, cost in connection.execute(
            _FIND, wanted
        ):
            yield _Result(
                run=run,
                started=datetime.fromtimestamp(started, UTC),
                model=label,
                scenario=name,
                domain=domain,
                version=version,
                tally=Tally(solved=solved, missed=missed, invalid=invalid),
                cost=cost,
            )


def _mean_rate(results: Sequence[_Result]) -> PassAtK:
    rates = [rate for result in results if (rate := pass_at_k(result.tally.scored, result.tally.solved, 1)) is not None]
    only = results[0].tally
    interval = of_one_scenario(only.solved, only.scored, 1) if len(results) == 1 else find_interval(rates)
    low, high = interval or (None, None)
    value = fmean(rates) if rates else None
    return PassAtK(k=1, value=value, covered=len(rates), of=len(results), low=low, high=high)


def _add_costs(results: Iterable[_Result]) -> float | None:
    costs = [result.cost for result in results if result.cost is not None]
    return sum(costs) if costs else None
