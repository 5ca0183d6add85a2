"""The command lines on the pages can be typed as they stand."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from pytest_itbench.cli import build_parser
from pytest_itbench.models.choice import parse_models
from pytest_itbench.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = ("cp", "docker", "export", "git")
OF_PYTEST = ("-k", "-m", "-n", "-q", "--collect-only", "--html", "--junitxml")
BY_FLAG = {option.flag: option for option in OPTIONS}


def test_command_lines(blocks: list[tuple[Path, re.Match[str]]]) -> None:
    """Each line of each console block is a command that exists, with options that exist."""
    consoles = [(page, block) for page, block in blocks if block["language"] == "console"]
    assert consoles
    problems = []
    for page, block in consoles:
        for line in block["text"].splitlines():
            assert line.startswith("$ "), f"{page.name}: {line}"
            if "not run" not in (block["name"] or ""):
                problems += [f"{page.name}: {line}: {problem}" for problem in find_problems(line.removeprefix("$ "))]
    assert problems == []


def find_problems(line: str) -> list[str]:
    command, *arguments = shlex.split(line)
    match command.rpartition("/")[2]:
        case "pytest":
            return check_pytest(arguments)
        case "pytest-itbench":
            return check_own(arguments)
        case "make":
            targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
            return [f"no target {name}" for name in arguments if "=" not in name and name not in targets]
        case "pip":
            return check_pip(arguments)
        case other:
            there = other in ELSEWHERE or (ROOT / command).is_file() or (ROOT / ".venv" / "bin" / other).is_file()
            return [] if there else ["no such command"]


def check_pytest(arguments: list[str]) -> list[str]:
    problems, specs = [], []
    for argument in arguments:
        flag, _, value = argument.partition("=")
        if flag == "--itbench-model":
            specs.append(value)
        elif flag in BY_FLAG:
            BY_FLAG[flag].read(value)
        elif flag.startswith("-") and flag not in OF_PYTEST:
            problems.append(f"{flag} is not an option that the pages use")
    parse_models(specs)
    return problems


def check_own(arguments: list[str]) -> list[str]:
    try:
        parsed, rest = build_parser().parse_known_args(arguments)
    except SystemExit:
        return ["cannot be parsed"]
    return [] if arguments[0] in ("check", "regrade") or not rest else [f"{rest} is not known to {parsed.run.__name__}"]


def check_pip(arguments: list[str]) -> list[str]:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = re.findall(r"pytest-itbench\[(\w+)\]", " ".join(arguments))
    return [f"no extra {name}" for name in named if name not in extras]


WRONG = (
    "pytest --itbench-modle=x",
    "pytest-itbench prove",
    "make everything",
    "pip install 'pytest-itbench[gpu]'",
    "frobnicate",
)


@pytest.mark.parametrize("line", WRONG)
def test_wrong_command_lines_are_found(line: str) -> None:
    """The test above can fail."""
    assert find_problems(line)
