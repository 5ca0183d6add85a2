"""The scenario that the page for authors builds is as good as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.conftest import write_guide


def test_the_guides_scenario_can_be_proven(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Doing nothing misses, the solution solves it, each mistake is caught as the page says."""
    monkeypatch.delenv("PYTEST_ITBENCH_ENVIRONMENT", raising=False)
    write_guide(Path(pytester.path, "scenarios", "cron-mail"))
    pytester.runpytest_subprocess("scenarios", "--itbench-prove").assert_outcomes(passed=6)
