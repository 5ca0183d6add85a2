"""Several runs as one: the shards of a run put together, and runs side by side."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_itbench.domain.outcome import AttemptKey, Outcome, Verdict
from pytest_itbench.errors import OptionMistake
from pytest_itbench.ledger import Ledger
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.summary import RunInfo, RunSummary
from pytest_itbench.runs import StoredRun, read_run, refuse_changed, write_info


def merge_runs(runs: Sequence[StoredRun], target: Path) -> StoredRun:
    """Write runs of different attempts into one new run, evidence and all.

    Raises:
        OptionMistake: they were made in different ways, have an attempt in common, or there is a run already.
    """
    first = runs[0]
    for other in runs[1:]:
        refuse_changed(first.info, other.info)
        if other.info.attempts != first.info.attempts:
            counts = f"{other.info.attempts} attempts, {first.info.run} {first.info.attempts}"
            raise OptionMistake(f"run {other.info.run} has {counts}; parts of one run have the same")
    united = _unite(runs)
    if not united:
        raise OptionMistake("the runs hold no outcomes")
    ledger = Ledger(target)
    target.mkdir(parents=True, exist_ok=True)
    for run, outcome in united.values():
        _copy_evidence(outcome, run.directory, target)
        ledger.add(outcome)
    ledger.close()
    info = _merge_info([run.info for run in runs], target.name)
    twice = sum(len(run.outcomes) for run in runs) - len(united)
    write_info(target, replace(info, planned=info.planned - twice))
    return read_run(target)


def _unite(runs: Sequence[StoredRun]) -> dict[AttemptKey, tuple[StoredRun, Outcome]]:
    """Every attempt once, with its run; of one that was invalid in a run and valid in another, the valid outcome."""
    united: dict[AttemptKey, tuple[StoredRun, Outcome]] = {}
    for run in runs:
        for outcome in run.outcomes:
            known = united[outcome.key][1] if outcome.key in united else None
            if known and Verdict.INVALID not in (known.verdict, outcome.verdict):
                raise OptionMistake(f"attempt {outcome.key} is in {run.info.run} and in another run too")
            if known is None or known.verdict is Verdict.INVALID:
                united[outcome.key] = run, outcome
    return united


def _merge_info(infos: Sequence[RunInfo], name: str) -> RunInfo:
    first = infos[0]
    scenarios = {scenario.id: scenario for info in infos for scenario in info.scenarios}
    choices = {choice.label: choice for info in infos for choice in info.choices}
    models = tuple(dict.fromkeys(model for info in infos for model in info.models))
    return replace(
        first,
        run=name,
        started=min(info.started for info in infos),
        ended=max(info.ended for info in infos),
        planned=sum(info.planned for info in infos),
        models=models,
        choices=tuple(choices[model] for model in models if model in choices),
        scenarios=tuple(scenarios[each] for each in sorted(scenarios)),
        shard=None,
        given={option: texts for option, texts in first.given.items() if option != "itbench_shard"},
    )


def _copy_evidence(outcome: Outcome, directory: Path, target: Path) -> None:
    for path in outcome.evidence.values():
        source = directory / path
        if source.is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / path)


def put_side_by_side(runs: Sequence[StoredRun], place: Path) -> RunSummary:
    """Runs as one summary, each model of each run a model of its own; links lead from `place` to the evidence."""
    runs = _name_apart(runs)
    outcomes = [_rename(outcome, run, place) for run in runs for outcome in run.outcomes]
    info = _merge_info([_rename_models(run.info) for run in runs], " and ".join(run.info.run for run in runs))
    return summarise(outcomes, info)


def _name_apart(runs: Sequence[StoredRun]) -> list[StoredRun]:
    """Each directory once; runs of the same name, as from several machines, get numbers."""
    apart: dict[str, StoredRun] = {}
    for run in {run.directory: run for run in runs}.values():
        name, number = run.info.run, 2
        while name in apart:
            name, number = f"{run.info.run} ({number})", number + 1
        apart[name] = replace(run, info=replace(run.info, run=name))
    return list(apart.values())


def _rename(outcome: Outcome, run: StoredRun, place: Path) -> Outcome:
    key = replace(outcome.key, model=f"{run.info.run}: {outcome.key.model}")
    evidence = {what: os.path.relpath(run.directory / path, place) for what, path in outcome.evidence.items()}
    return replace(outcome, key=key, evidence=evidence)


def _rename_models(info: RunInfo) -> RunInfo:
    return replace(
        info,
        models=tuple(f"{info.run}: {model}" for model in info.models),
        choices=tuple(replace(choice, label=f"{info.run}: {choice.label}") for choice in info.choices),
    )
