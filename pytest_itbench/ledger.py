"""What a run finds out, on disk as soon as it is known: outcomes, or candidates."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pytest_itbench import wire
from pytest_itbench.domain.outcome import AttemptKey, Outcome
from pytest_itbench.errors import OptionMistake

OUTCOMES = "outcomes.jsonl"
CANDIDATES = "candidates.jsonl"
SYNC = 1.0
"""Seconds of lines that a failing machine may take with it; a process that is killed takes none."""


class LineFile:
    """A file of one JSON object a line: the system has it when `append` returns, the disk soon after."""

    def __init__(self, path: Path, *, goes_on: bool = False) -> None:
        """Begin the file, which is made with the first line; or go on with one.

        Raises:
            OptionMistake: its directory holds a run already, or cannot be made.
        """
        self.path, directory = path, path.parent
        place = f"{directory.parent.name}/{directory.name}"
        if not goes_on and any((directory / name).exists() for name in (OUTCOMES, CANDIDATES)):
            raise OptionMistake(f"{place} holds a run already; choose another --itbench-run")
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OptionMistake(f"--itbench-reports: {place} cannot be made: {error.strerror}") from error
        self._file: TextIO | None = None
        self._synced = time.monotonic()
        self.lines = 0

    def append(self, line: str) -> None:
        """Add a line, given without its end."""
        if self._file is None:
            _drop_unfinished_line(self.path)
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write(line + "\n")
        self._file.flush()
        self.lines += 1
        if time.monotonic() - self._synced > SYNC:
            self._sync(self._file)

    def _sync(self, file: TextIO) -> None:
        os.fsync(file.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Close the file; without a line, nothing of it stays."""
        if self._file:
            self._sync(self._file)
            self._file.close()
            return
        for directory in (self.path.parent, self.path.parent.parent):
            with suppress(OSError):  # other runs lie there
                directory.rmdir()


def _drop_unfinished_line(path: Path) -> None:
    """Take away what a killed process had begun to write."""
    if path.is_file() and not (content := path.read_bytes()).endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


class Ledger:
    """``outcomes.jsonl`` of a run: a line per attempt; where there are several, the last one counts."""

    def __init__(self, directory: Path, earlier: Iterable[Outcome] | None = None) -> None:
        """Begin the ledger, or go on with one that holds `earlier` outcomes.

        Raises:
            OptionMistake: the directory holds a run already, or cannot be made.
        """
        self._lines = LineFile(directory / OUTCOMES, goes_on=earlier is not None)
        self._outcomes: dict[AttemptKey, Outcome] = {outcome.key: outcome for outcome in earlier or ()}

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What was added, in the order of arrival."""
        return tuple(self._outcomes.values())

    def __contains__(self, key: AttemptKey) -> bool:
        """Whether an attempt's outcome was added."""
        return key in self._outcomes

    def add(self, outcome: Outcome) -> bool:
        """Add an outcome; says whether it was the first of its attempt. Later ones are dropped."""
        if outcome.key in self._outcomes:
            return False
        self._outcomes[outcome.key] = outcome
        self._lines.append(wire.dump_line(outcome))
        return True

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
