"""The files that a run leaves behind, each written by a reporter."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from pytest_itbench.metrics.summary import RunSummary
from pytest_itbench.registry import find_implementation

Reporter = Callable[[RunSummary, Path], Path]
"""Writes one file into a directory and returns its path."""

JOB_SUMMARY = "GITHUB_STEP_SUMMARY"
REPORTERS = ("json", "junit", "html", "markdown")


def write_reports(summary: RunSummary, directory: Path, names: Iterable[str] = REPORTERS) -> dict[str, Path]:
    """Run the reporters of these names and return the written files by name.

    Reporters are entry points of the group ``pytest_itbench.reporters``. The directory is created if need be.

    Raises:
        UnknownName: nobody registered a reporter of that name.
        MissingExtra: a reporter's packages are not installed.
        OSError: a file cannot be written.
    """
    reporters: dict[str, Reporter] = {name: find_implementation("reporters", name) for name in names}
    directory.mkdir(parents=True, exist_ok=True)
    written = {name: reporter(summary, directory) for name, reporter in reporters.items()}
    if "markdown" in written:
        offer_to_ci(written["markdown"])
    return written


def offer_to_ci(path: Path) -> None:
    """Append a Markdown file to the job's summary where the CI has a place for one, as GitHub's and Gitea's have."""
    if place := os.environ.get(JOB_SUMMARY):
        with open(place, "a", encoding="utf-8") as file:  # noqa: PTH123  # a path or a named pipe, whatever the CI gives
            file.write(path.read_text(encoding="utf-8"))
