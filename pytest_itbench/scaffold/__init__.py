"""A scenario to start from, which already passes ``pytest-itbench check``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pytest_itbench.errors import UserMistake

FILES = (
    "scenario.yaml",
    "prompt.md.j2",
    "validate.py",
    "solution/playbook.yml",
    "counterexamples/wrong-mode.yml",
    "counterexamples/wrong-host.yml",
)


def write_scenario(directory: Path) -> list[Path]:
    """Write the files; gives their paths.

    Raises:
        UserMistake: the directory is not empty or cannot be written.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserMistake(f"{directory} exists and is not an empty directory; choose another path")
    template = files("pytest_itbench.scaffold") / "template"
    written = []
    for name in FILES:
        target = directory / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((template / name).read_bytes())
        except OSError as error:
            raise UserMistake(f"{target} cannot be written: {error.strerror}") from error
        written.append(target)
    return written
