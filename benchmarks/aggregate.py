"""A large run is summarised and all its reports are written, in a process of its own.

Target: 100,000 attempts with checks, timings, usage, messages and evidence in under 20 s and 1 GiB.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.result import Result
from pytest_itbench.domain.outcome import AttemptKey, CheckResult, FailureKind, Outcome, Stage, Usage, Verdict
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.summary import ModelInfo, RunInfo
from pytest_itbench.reporting.files import REPORTERS, write_reports

MODELS = 5
SCENARIOS = 500
ATTEMPTS = 40
CHECKS = 4
SECONDS_TARGET = 20.0
MEMORY_TARGET = 1024
"""MiB."""

ROOT = Path(__file__).parents[1]
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DOMAINS = ("file-management", "networking", "packages", "services", "templating", "users")
TAGS = tuple(f"tag-{number}" for number in range(20))
MISSES = (FailureKind.SYNTAX, FailureKind.TASK_FAILED, FailureKind.CHECKS_FAILED, FailureKind.TIMEOUT)
EVIDENCE = {"prompt": "prompt.md", "reply": "reply.md", "candidate": "candidate.yml", "apply": "apply.log"}


def measure() -> Result:
    """Time without the making of outcomes; memory with them, as a run holds them too."""
    command = [sys.executable, "-m", "benchmarks.aggregate"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    spent, peak = sum(found["seconds"].values()), found["peak"]
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in found["seconds"].items())
    text = (
        f"{MODELS * SCENARIOS * ATTEMPTS:,} attempts in {spent:.1f} s ({parts}) with {peak:.0f} MiB "
        f"(target: under {SECONDS_TARGET:g} s and {MEMORY_TARGET} MiB)"
    )
    return Result(met=spent < SECONDS_TARGET and peak < MEMORY_TARGET, text=text)


def measure_here() -> dict[str, object]:
    """Seconds by part and the peak memory of this process in MiB."""
    outcomes, info, seconds = tuple(make_outcomes()), make_info(), {}
    with tempfile.TemporaryDirectory(prefix="itbench-") as name:
        started = time.monotonic()
        summary = summarise(outcomes, info)
        seconds["summarise"] = time.monotonic() - started
        for reporter in REPORTERS:
            started = time.monotonic()
            write_reports(summary, Path(name), (reporter,))
            seconds[reporter] = time.monotonic() - started
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def make_info() -> RunInfo:
    """The run that the attempts belong to."""
    models = tuple(f"model-{number}" for number in range(MODELS))
    return RunInfo(
        run="large",
        started=START,
        ended=START + timedelta(hours=9),
        version="1",
        python_version="3",
        pytest_version="9",
        models=models,
        attempts=ATTEMPTS,
        ks=(1, 5, 10),
        planned=MODELS * SCENARIOS * ATTEMPTS,
        environment="fake",
        choices=tuple(ModelInfo(label=model, kind="openai", name=model, level=2) for model in models),
    )


def make_outcomes() -> Iterator[Outcome]:
    """Attempts as workers deliver them: no two share a text."""
    chance = random.Random(0)  # noqa: S311  # no secret
    for model in range(MODELS):
        for scenario in range(SCENARIOS):
            rate = chance.betavariate(1, 1)
            for index in range(ATTEMPTS):
                key = AttemptKey(scenario=f"area/scenario-{scenario}", model=f"model-{model}", index=index)
                verdict = Verdict.INVALID if chance.random() < 0.01 else Verdict.MISSED  # noqa: PLR2004  # one of 100
                yield make_outcome(key, Verdict.SOLVED if chance.random() < rate else verdict, scenario, chance)


def make_outcome(key: AttemptKey, verdict: Verdict, scenario: int, chance: random.Random) -> Outcome:
    """One attempt with all that an outcome can hold."""
    solved, place = verdict is Verdict.SOLVED, f"attempts/{key}"
    kind = None if solved else FailureKind.ENGINE if verdict is Verdict.INVALID else chance.choice(MISSES)
    passed = [solved or chance.random() < 0.5 for _ in range(CHECKS)]  # noqa: PLR2004  # a coin
    message = "" if solved else f"{key}: the task failed <on> web & db\n" + f"line of a tool's output {key}\n" * 5
    return Outcome(
        key=key,
        verdict=verdict,
        stage=Stage.VALIDATE,
        kind=kind,
        domain=DOMAINS[scenario % len(DOMAINS)],
        difficulty=("easy", "medium", "hard")[scenario % 3],
        tags=tuple(TAGS[(scenario + step) % len(TAGS)] for step in (0, 7, 11)),
        level=2,
        started=START + timedelta(seconds=key.index),
        message=message,
        hint="" if kind is not FailureKind.ENGINE else "is the engine running?",
        checks=tuple(
            CheckResult(name=f"check_{number}", passed=each, message="" if each else f"{key}: expected", seconds=0.1)
            for number, each in enumerate(passed)
        ),
        score=sum(passed) / CHECKS,
        taken="the only code block",
        usage=Usage(
            requests=1, input_tokens=900 + key.index, output_tokens=300 + scenario, cost=0.001 * chance.random()
        ),
        timings={stage.value: chance.random() * 9 for stage in Stage},
        evidence={what: f"{place}/{file}" for what, file in EVIDENCE.items()},
        worker=f"gw{key.index % 8}",
    )


if __name__ == "__main__":
    print(json.dumps(measure_here()))
