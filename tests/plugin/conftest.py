"""A pytest inside pytest, with scenarios for the fake environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

PLAY = "- hosts: all\n  tasks: []\n"

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def scenarios(pytester: pytest.Pytester, make_scenario: Callable[..., Path]) -> Path:
    """Two scenarios, one and two, in two domains."""
    place = pytester.path / "scenarios"
    make_scenario("one", below=place, extra="tags: [alpha]")
    make_scenario("two", below=place, domain="networking", extra="tags: [beta]")
    return place


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest on the fake environment, in the run directory reports/r."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("--itbench-run=r", *arguments)

    return run


@pytest.fixture
def record(pytester: pytest.Pytester) -> Callable[[Mapping[str, Sequence[str]]], str]:
    """Writes recordings, a list of texts by scenario; gives the model that replays them."""

    def record(replies: Mapping[str, Sequence[str]]) -> str:
        lines = [
            {"scenario": name, "reply": f"```yaml\n{PLAY}# {text}\n```" if text else "no"}
            for name, texts in replies.items()
            for text in texts
        ]
        (pytester.path / "rec.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return "--itbench-model=rec=replay:rec.jsonl"

    return record


@pytest.fixture
def outcomes(pytester: pytest.Pytester) -> Callable[[], list[dict[str, Any]]]:
    """Reads the ledger of run r."""

    def read() -> list[dict[str, Any]]:
        text = (pytester.path / "reports" / "r" / "outcomes.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    return read
