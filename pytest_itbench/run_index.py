"""An index of all stored runs, for questions that go over many of them.

``index.sqlite`` in the reports directory holds nothing of its own: it is made from the runs, and made anew when it is
damaged or of another version.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path

from pytest_itbench.domain.outcome import Outcome
from pytest_itbench.errors import OptionMistake
from pytest_itbench.ledger import OUTCOMES
from pytest_itbench.metrics.aggregate import tally
from pytest_itbench.runs import RUN, StoredRun, read_run

INDEX = "index.sqlite"
SCHEMA = 1
BUSY = 30.0
"""Seconds to wait for another process that refreshes the index."""

_TABLES = """
CREATE TABLE runs (
    directory TEXT PRIMARY KEY,
    stamp TEXT NOT NULL,
    started REAL NOT NULL,
    problem TEXT NOT NULL
);
CREATE TABLE results (
    directory TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    scenario TEXT NOT NULL,
    domain TEXT NOT NULL,
    version TEXT NOT NULL,
    solved INTEGER NOT NULL,
    missed INTEGER NOT NULL,
    invalid INTEGER NOT NULL,
    cost REAL,
    PRIMARY KEY (directory, model, scenario)
) WITHOUT ROWID;
CREATE INDEX results_by_scenario ON results (scenario);
"""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA)
"""What a rebuild cures; a lock or a full disk it does not."""


def refresh_index(reports: Path) -> Path:
    """Bring the index of a reports directory up to date and return its path.

    Raises:
        OptionMistake: there is no such directory, or the index cannot be written.
    """
    if not reports.is_dir():
        raise OptionMistake(f"{reports} is no directory of runs")
    index = reports / INDEX
    try:
        if not _refresh(index):
            for path in (index, index.with_name(f"{INDEX}-journal")):
                path.unlink(missing_ok=True)
            _refresh(index)
    except (sqlite3.Error, OSError) as error:
        raise OptionMistake(f"{index} cannot be written: {error}") from error
    return index


def _refresh(index: Path) -> bool:
    """Bring it up to date; says whether that was possible, or it must be made anew."""
    try:
        with closing(sqlite3.connect(index, timeout=BUSY, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("BEGIN IMMEDIATE")
            (schema,) = connection.execute("PRAGMA user_version").fetchone()
            if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA}")
            elif schema != SCHEMA or connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                return False
            _update(connection, index.parent)
            connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            return False
        raise
    return True


def _update(connection: sqlite3.Connection, reports: Path) -> None:
    # What could not be read is tried again: a newer pytest-itbench may know its format.
    known = dict(connection.execute("SELECT directory, stamp FROM runs WHERE problem = ''"))
    found = {
        path.parent.name: stamp
        for path in sorted(reports.glob(f"*/{RUN}"))
        if (stamp := _stamp(path.parent)) is not None
    }
    listed = [name for (name,) in connection.execute("SELECT directory FROM runs")]
    gone = [name for name in listed if name not in found or found[name] != known.get(name)]
    connection.executemany("DELETE FROM runs WHERE directory = ?", [(name,) for name in gone])
    for name, stamp in found.items():
        if stamp != known.get(name):
            _add_run(connection, reports / name, stamp)


def _stamp(directory: Path) -> str | None:
    """What changes when a run changes; None when it is none."""
    try:
        sizes = [(directory / name).stat() for name in (RUN, OUTCOMES)]
    except OSError:
        return None
    return " ".join(f"{size.st_size}:{size.st_mtime_ns}" for size in sizes)


def _add_run(connection: sqlite3.Connection, directory: Path, stamp: str) -> None:
    name = _tidy(directory.name)
    try:
        run = read_run(directory)
    except (OptionMistake, OSError) as error:
        connection.execute("INSERT INTO runs VALUES (?, ?, 0, ?)", (name, stamp, _tidy(str(error))))
        return
    started = run.info.started.timestamp()
    connection.execute("INSERT INTO runs VALUES (?, ?, ?, '')", (name, stamp, started))
    connection.executemany("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _list_rows(name, run))


def _list_rows(directory: str, run: StoredRun) -> Iterator[tuple[str | float | None, ...]]:
    choices = {choice.label: choice for choice in run.info.choices}
    versions = {scenario.id: f"{scenario.task} {scenario.validators}" for scenario in run.info.scenarios}

    def key(outcome: Outcome) -> tuple[str, str]:
        return outcome.key.model, outcome.key.scenario

    for (model, scenario), group in groupby(sorted(run.outcomes, key=key), key=key):
        outcomes = list(group)
        choice, counts = choices.get(model), tally(outcomes)
        asked = (choice.kind, choice.name) if choice else ("", "")
        costs = [outcome.usage.cost for outcome in outcomes if outcome.usage.cost is not None]
        texts = (directory, model, *asked, scenario, outcomes[0].domain, versions.get(scenario, ""))
        figures = (counts.solved, counts.missed, counts.invalid, sum(costs) if costs else None)
        yield (*map(_tidy, texts), *figures)


@contextmanager
def open_index(index: Path) -> Iterator[sqlite3.Connection]:
    """The index, to read only.

    Raises:
        OptionMistake: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{index.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise OptionMistake(f"{index} cannot be read: {error}") from error


def _tidy(text: str) -> str:
    """Text that can be stored: a lone surrogate cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")
