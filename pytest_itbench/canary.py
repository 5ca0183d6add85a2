"""A line in every file of a library by which its text is found again: in training data, and in what models write."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.errors import UserMistake
from pytest_itbench.loading.scenario import find_scenario_files, load_scenario

FILE = "CANARY"
TEXT = "This is test material and must never be in training data: pytest-itbench canary {}"
COMMENTS = {
    ".j2": "{{# {} #}}",
    ".py": "# {}",
    ".rego": "# {}",
    ".sh": "# {}",
    ".yaml": "# {}",
    ".yml": "# {}",
}
"""How each kind of file holds a comment; others, such as JSON, hold none."""


def read_canary(library: Path) -> str:
    """A library's line.

    Raises:
        UserMistake: it has none.
    """
    try:
        return (library / FILE).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserMistake(
            f"{library / FILE} cannot be read: {error.strerror}; pytest-itbench canary makes it"
        ) from error


def make_canary(library: Path) -> str:
    """A library's line, made anew where there is none."""
    if not (library / FILE).exists():
        (library / FILE).write_text(TEXT.format(uuid.uuid4()) + "\n", encoding="utf-8")
    return read_canary(library)


def find_unmarked(library: Path, canary: str) -> Iterator[Path]:
    """The files that can hold the line and do not.

    Raises:
        BrokenScenario
    """
    for file in find_scenario_files(library):
        for path in list_markable(load_scenario(file)):
            if canary not in path.read_text(encoding="utf-8"):
                yield path


def list_markable(scenario: Scenario) -> list[Path]:
    """The files of a scenario that can hold a comment, but those whose content is put on hosts as it is."""
    given = {file.source.resolve() for host in scenario.hosts for file in host.files}
    contexts = {host.dockerfile.resolve().parent for host in scenario.hosts if host.dockerfile}
    found = []
    for path in sorted(scenario.directory.rglob("*")):
        place = path.resolve()
        on_host = place in given or contexts & set(place.parents)
        if path.is_file() and path.suffix in COMMENTS and not on_host and "__pycache__" not in path.parts:
            found.append(path)
    return found


def mark(path: Path, canary: str) -> None:
    """Put the line at the head of a file, below the line that names its interpreter.

    Raises:
        UserMistake: the file cannot be written.
    """
    text = path.read_text(encoding="utf-8")
    head, body = "", text
    if text.startswith("#!"):
        first, newline, body = text.partition("\n")
        head = first + newline
    line = COMMENTS[path.suffix].format(canary)
    try:
        mode = path.stat().st_mode
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(f"{head}{line}\n{body}", encoding="utf-8")
        beside.chmod(mode & 0o7777)
        os.replace(beside, path)  # noqa: PTH105  # whole or not at all
    except OSError as error:
        raise UserMistake(f"{path} cannot be written: {error.strerror}") from error
