"""Outcomes and runs made by hand, for tests of whatever reads them: reporters, hooks, gates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_itbench.domain.outcome import AttemptKey, FailureKind, Outcome, Stage, Verdict
from pytest_itbench.metrics.summary import RunInfo

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LETTERS = {
    "s": (Verdict.SOLVED, None),
    "m": (Verdict.MISSED, FailureKind.CHECKS_FAILED),
    "y": (Verdict.MISSED, FailureKind.SYNTAX),
    "i": (Verdict.INVALID, FailureKind.ENGINE),
    "n": (Verdict.INVALID, FailureKind.NOT_RUN),
    "l": (Verdict.INVALID, FailureKind.WORKER_LOST),
}
"""s(olved), m(issed), missed by a s(y)ntax error, i(nvalid), n(ot run), l(ost with its worker)."""


def make_attempts(scenario: str, letters: str, *, model: str = "m", **given: Any) -> list[Outcome]:
    """One attempt per letter; `given` are fields that all of them have."""
    fields: dict[str, Any] = {
        "domain": "networking",
        "difficulty": "easy",
        "tags": (),
        "level": 2,
        "started": START,
    } | given
    return [
        Outcome(
            key=AttemptKey(scenario=scenario, model=model, index=index),
            verdict=LETTERS[letter][0],
            kind=LETTERS[letter][1],
            stage=Stage.VALIDATE,
            **fields,
        )
        for index, letter in enumerate(letters)
    ]


def make_info(*models: str, **given: Any) -> RunInfo:
    """How a run was made; `given` are fields that differ from the usual."""
    fields: dict[str, Any] = {
        "run": "night",
        "started": START,
        "ended": START + timedelta(seconds=90),
        "version": "0.1.0",
        "python_version": "3.13.1",
        "pytest_version": "9.2.0",
        "attempts": 3,
        "ks": (1, 3),
        "planned": 0,
        "environment": "fake",
    }
    return RunInfo(models=models, **(fields | given))
