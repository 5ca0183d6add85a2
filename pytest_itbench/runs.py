"""Runs on disk: how a run was made (``run.json``) beside what it found out (``outcomes.jsonl``)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pytest_itbench import wire
from pytest_itbench.domain.candidate import ModelChoice
from pytest_itbench.domain.outcome import Outcome
from pytest_itbench.errors import OptionMistake
from pytest_itbench.ledger import OUTCOMES
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.comparison import Comparison, compare
from pytest_itbench.metrics.summary import ModelInfo, RunInfo, RunSummary, ScenarioInfo, ScenarioResult
from pytest_itbench.redaction import redact
from pytest_itbench.whole_file import write_json

RUN = "run.json"
UNLIKE = 5
"""Differences that a message names."""
SCHEMA = 1
SUMMARY_SCHEMA = 2
"""The version of ``summary.json`` that can be a baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as it lies on disk.

    Attributes:
        outcomes: of each attempt the last one, for an attempt that was invalid may have been run again.
    """

    directory: Path
    info: RunInfo
    outcomes: tuple[Outcome, ...]

    def summarise(self) -> RunSummary:
        """Its figures."""
        return summarise(self.outcomes, self.info)


def write_info(directory: Path, info: RunInfo) -> None:
    """Write ``run.json``."""
    write_json(directory / RUN, {"schema": SCHEMA, **wire.converter().unstructure(info)})


def find_run(text: str, reports: Path) -> Path:
    """The directory of a run, from its name, its path or the path of one of its files.

    Raises:
        OptionMistake: there is none.
    """
    for place in (Path(text), reports / text):
        directory = place.parent if place.is_file() else place
        if (directory / RUN).is_file():
            return directory.resolve()
    known = sorted(path.parent.name for path in reports.glob(f"*/{RUN}"))
    seen = f"; runs there: {', '.join(known[-5:])}" if known else ""
    raise OptionMistake(f"{text} is no run: neither it nor {reports.name}/{text} is a directory with a {RUN}{seen}")


def read_run(directory: Path) -> StoredRun:
    """Read a stored run.

    Raises:
        OptionMistake: it cannot be read, or was written by another version.
    """
    info, outcomes = read_info(directory / RUN), {}
    path = directory / OUTCOMES
    content = path.read_bytes() if path.is_file() else b""
    lines = content.splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            outcome = wire.load(json.loads(line))
        except (ValueError, KeyError, TypeError, wire.UnknownSchema, ExceptionGroup) as error:
            if number == len(lines) and not content.endswith(b"\n"):
                break  # the process was killed while it wrote this line
            raise OptionMistake(f"{path}:{number}: {error}") from error
        outcomes[outcome.key] = outcome
    return StoredRun(directory=directory, info=info, outcomes=tuple(outcomes.values()))


def read_info(path: Path) -> RunInfo:
    """How a run was made.

    Raises:
        OptionMistake: the file cannot be read, or was written by another version.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        seen = record.pop("schema", None)
        if seen != SCHEMA:
            raise OptionMistake(f"{path}: schema {seen!r} is not known here (expected {SCHEMA})")
        return wire.converter().structure(record, RunInfo)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ExceptionGroup) as error:
        raise OptionMistake(f"{path} cannot be read: {error}") from error


def find_baseline(text: str, reports: Path) -> Path:
    """A run's directory, or a file as `read_baseline` takes it.

    Raises:
        OptionMistake: there is neither.
    """
    return Path(text).resolve() if Path(text).is_file() and not _lies_in_run(text) else find_run(text, reports)


def _lies_in_run(text: str) -> bool:
    return Path(text).with_name(RUN).is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a run is compared with: how it was made, and its results by model and scenario."""

    info: RunInfo
    results: dict[str, dict[str, ScenarioResult]]


def read_baseline(place: Path) -> Baseline:
    """Read a run's directory, or the ``summary.json`` of one, which may have been copied away.

    Raises:
        OptionMistake: it cannot be read, or was written by another version.
    """
    if place.is_dir():
        return make_baseline(read_run(place).summarise())
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        if record.get("schema") != SUMMARY_SCHEMA:
            seen = record.get("schema")
            raise OptionMistake(f"{place}: schema {seen!r} is not known here (expected {SUMMARY_SCHEMA})")
        run = {name: value for name, value in record["run"].items() if name != "seconds"}
        info = wire.converter().structure(run, RunInfo)
        results: dict[str, dict[str, ScenarioResult]] = {}
        for entry in record["scenarios"]:
            figures = {name: value for name, value in entry.items() if name != "attempts"}
            result = wire.converter().structure({**figures, "outcomes": []}, ScenarioResult)
            results.setdefault(result.model, {})[result.scenario] = result
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ExceptionGroup) as error:
        raise OptionMistake(f"{place} is not the summary.json of a run: {error}") from error
    return Baseline(info=info, results=results)


def make_baseline(summary: RunSummary) -> Baseline:
    """A run's results, to compare others with."""
    results: dict[str, dict[str, ScenarioResult]] = {}
    for result in summary.scenarios:
        results.setdefault(result.model, {})[result.scenario] = result
    return Baseline(info=summary.info, results=results)


def describe_choice(choice: ModelChoice) -> ModelInfo:
    """How a model is asked, as a run remembers it."""
    sampling = {name: value for name, value in asdict(choice.sampling).items() if name != "temperature"}
    asked = {
        **sampling,
        "parameters": dict(choice.sampling.parameters),
        "system": choice.system,
        "asked": choice.options.get("asked"),  # by whom candidates were made before
    }
    return ModelInfo(
        label=choice.label,
        kind=choice.kind,
        name=choice.name,
        level=choice.level,
        temperature=choice.sampling.temperature,
        sampling={name: redact(json.dumps(value)) for name, value in asked.items() if value not in (None, (), {}, "")},
    )


@cache
def describe_scenario(directory: Path) -> ScenarioInfo:
    """A scenario to the byte, with the stack that it uses; solution and counterexamples decide nothing."""
    scenario = load_scenario(directory / "scenario.yaml")
    judges = {validator.path for validator in scenario.validators}
    task, validators = hashlib.sha256(), hashlib.sha256()
    for path in _list_files(directory, skip=("solution", "counterexamples", "__pycache__")):
        judging = path in judges or path.suffix == ".py"
        target = validators if judging else task
        target.update(_read_with_name(path, directory))
    if scenario.cluster and scenario.cluster.stack:
        stack = scenario.cluster.stack.directory
        for path in _list_files(stack, skip=("__pycache__",)):
            task.update(_read_with_name(path, stack))
    return ScenarioInfo(id=scenario.id, task=task.hexdigest()[:16], validators=validators.hexdigest()[:16])


def _list_files(directory: Path, skip: tuple[str, ...]) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        parts = path.relative_to(directory).parts
        if path.is_file() and parts[0] not in skip and "__pycache__" not in parts:
            yield path


def _read_with_name(path: Path, directory: Path) -> bytes:
    return f"{path.relative_to(directory).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes()


def find_unlike(old: RunInfo, new: RunInfo, models: Iterable[tuple[str, str]]) -> list[str]:
    """What makes two runs unlike, so that their figures must not be compared; empty when nothing does.

    `models` are pairs of labels, old and new. The models themselves may differ: that is the question.
    """
    unlike = find_changed(old, new)
    for before, now in models:
        unlike += _find_unlike_sampling(_find_choice(old, before), _find_choice(new, now))
    was, now_is = ({scenario.id for scenario in info.scenarios} for info in (old, new))
    unlike += [f"scenario {name} was not tried then" for name in sorted(now_is - was)]
    unlike += [f"scenario {name} is not tried now" for name in sorted(was - now_is)]
    return unlike


def find_changed(old: RunInfo, new: RunInfo) -> list[str]:
    """What is not any more what it was, of the scenarios that both runs have."""
    changed = []
    if old.environment != new.environment:
        changed.append(f"environment {old.environment}, now {new.environment}")
    was, now_is = ({scenario.id: scenario for scenario in info.scenarios} for info in (old, new))
    for name in sorted(was.keys() & now_is.keys()):
        if was[name].task != now_is[name].task:
            changed.append(f"scenario {name} has another task")
        if was[name].validators != now_is[name].validators:
            changed.append(f"scenario {name} has other validators")
    return changed


def refuse_changed(old: RunInfo, new: RunInfo) -> None:
    """See that a run can be gone on with, or put together with another.

    Raises:
        OptionMistake: it was made in another way.
    """
    changed = find_changed(old, new)
    for before in old.choices:
        now = _find_choice(new, before.label)
        if now and now != before:
            other = f"model {before.label} was {before.kind}:{before.name}, now {now.kind}:{now.name}"
            changed += _find_unlike_sampling(before, now) or [other]
    if changed:
        raise OptionMistake(f"run {old.run} was made otherwise: {'; '.join(changed[:UNLIKE])}")


def refuse_other_models(old: RunInfo, new: RunInfo) -> None:
    """See that a run is gone on with by the models that it was begun with.

    Raises:
        OptionMistake: it is not.
    """
    if set(old.models) != set(new.models):
        before, now = ", ".join(old.models), ", ".join(new.models)
        raise OptionMistake(f"run {old.run} has the models {before}, not {now}; for others make another run")


def _find_choice(info: RunInfo, label: str) -> ModelInfo | None:
    return next((choice for choice in info.choices if choice.label == label), None)


def _find_unlike_sampling(old: ModelInfo | None, new: ModelInfo | None) -> list[str]:
    if old is None or new is None:
        return []
    before, now = _list_sampling(old), _list_sampling(new)
    return [
        f"{name} {before.get(name, 'not set')}, now {now.get(name, 'not set')}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def _list_sampling(choice: ModelInfo) -> dict[str, str]:
    temperature = {} if choice.temperature is None else {"temperature": f"{choice.temperature:g}"}
    return {"level": str(choice.level), **temperature, **choice.sampling}


def compare_runs(old: Baseline, new: Baseline, margin: float) -> tuple[Comparison, ...]:
    """Compare each model with the one of the same label, or the only one with the only one.

    Raises:
        OptionMistake: the runs are unlike, or it is not clear which model is compared with which.
    """
    for run in (old, new):
        if not run.results:
            raise OptionMistake(f"run {run.info.run} holds no outcomes that could be compared")
    pairs = pair_models(tuple(old.results), tuple(new.results))
    if unlike := find_unlike(old.info, new.info, pairs):
        more = f" and {len(unlike) - UNLIKE} more" if len(unlike) > UNLIKE else ""
        named = "; ".join(unlike[:UNLIKE])
        raise OptionMistake(f"run {old.info.run} cannot be compared with {new.info.run}: {named}{more}")
    return tuple(
        compare(
            old.results[before],
            new.results[now],
            names=(old.info.run, before, now),
            margin=margin,
            k=min(old.info.attempts, new.info.attempts),
        )
        for before, now in pairs
    )


def pair_models(old: tuple[str, ...], new: tuple[str, ...]) -> list[tuple[str, str]]:
    """Which model of a run is compared with which of another.

    Raises:
        OptionMistake: that is not clear.
    """
    if shared := [(label, label) for label in new if label in old]:
        return shared
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    raise OptionMistake(
        f"no model has the label of one in the other run ({', '.join(old)}; now {', '.join(new)}); "
        "give the new one the old label: --itbench-model=LABEL=KIND:NAME"
    )
