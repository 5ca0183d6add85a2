"""Hooks by which a conftest or another plugin listens to a run. All of them are called on the controller only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_itbench.domain.outcome import Outcome
    from pytest_itbench.metrics.summary import RunSummary


@pytest.hookspec
def pytest_itbench_outcome(config: pytest.Config, outcome: Outcome) -> None:
    """Called for each attempt as soon as its outcome is on disk.

    Example::

        def pytest_itbench_outcome(config, outcome):
            print(outcome.key, outcome.verdict)
    """


@pytest.hookspec
def pytest_itbench_summary(config: pytest.Config, summary: RunSummary, directory: Path) -> None:
    """Called once at the end of the run, when all reports lie in `directory`.

    Example::

        def pytest_itbench_summary(config, summary, directory):
            upload(directory / "summary.json")
    """
