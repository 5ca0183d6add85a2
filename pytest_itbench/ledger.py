"""Outcomes on disk, each of them as soon as it is known."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pytest_itbench import wire
from pytest_itbench.domain.outcome import AttemptKey, Outcome
from pytest_itbench.errors import OptionMistake

FILE_NAME = "outcomes.jsonl"


class Ledger:
    """``outcomes.jsonl`` of a run: one line per attempt, safe on disk before `add` returns."""

    def __init__(self, directory: Path) -> None:
        """Begin the ledger; its file is made with the first outcome.

        Raises:
            OptionMistake: the directory holds a run already, or cannot be made.
        """
        self._path = directory / FILE_NAME
        place = f"{directory.parent.name}/{directory.name}"
        if self._path.exists():
            raise OptionMistake(f"{place} holds a run already; choose another --itbench-run")
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OptionMistake(f"--itbench-reports: {place} cannot be made: {error.strerror}") from error
        self._file: TextIO | None = None
        self._outcomes: dict[AttemptKey, Outcome] = {}

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What was added, in the order of arrival."""
        return tuple(self._outcomes.values())

    def add(self, outcome: Outcome) -> bool:
        """Add an outcome; says whether it was the first of its attempt. Later ones are dropped."""
        if outcome.key in self._outcomes:
            return False
        self._outcomes[outcome.key] = outcome
        if self._file is None:
            self._file = self._path.open("x", encoding="utf-8")
        self._file.write(wire.dump_line(outcome) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        return True

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
        else:
            for directory in (self._path.parent, self._path.parent.parent):
                with suppress(OSError):  # other runs lie there
                    directory.rmdir()
