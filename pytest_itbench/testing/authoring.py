"""What can be counted in a scenario without running it: its checks, and how difficult it is by its reference solution.

The rule of difficulty, for scenarios of hosts: points = different modules + tasks and handlers + 2 for each host
after the first + 2 when the hosts change between two runs. Up to 6 points a scenario is easy, up to 10 medium, beyond
that hard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from pytest_itbench.domain.scenario import Difficulty, Scenario
from pytest_itbench.validation.python_file import find_checks, load_validator

EASY, MEDIUM = 6, 10
"""The most points of an easy and of a medium scenario."""
A_HOST = A_CHANGE = 2
LISTS = ("pre_tasks", "tasks", "post_tasks", "handlers")
SHELL_CHECK = re.compile(r"""^\s*check\s+(?P<name>"[^"]*"|'[^']*'|\S+)""", re.MULTILINE)
BLOCKS = ("block", "rescue", "always")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a reference solution is made of.

    Attributes:
        modules: how many different ones.
        steps: tasks and handlers.
        hosts: those of the scenario.
        changes: whether the hosts change between two runs.
    """

    modules: int
    steps: int
    hosts: int
    changes: bool

    @property
    def points(self) -> int:
        """The sum of the rule."""
        return self.modules + self.steps + A_HOST * (self.hosts - 1) + A_CHANGE * self.changes

    @property
    def difficulty(self) -> Difficulty:
        """What the rule says."""
        if self.points <= EASY:
            return Difficulty.EASY
        return Difficulty.MEDIUM if self.points <= MEDIUM else Difficulty.HARD


def measure_solution(scenario: Scenario) -> Size:
    """Count in the playbook of a scenario's reference solution, whose modules are named in full."""
    plays = yaml.safe_load(scenario.solution[0].read_text(encoding="utf-8"))
    tasks = [task for play in plays for name in LISTS for task in _flatten(play.get(name) or [])]
    modules = {key for task in tasks for key in task if "." in key}
    return Size(modules=len(modules), steps=len(tasks), hosts=len(scenario.hosts), changes=bool(scenario.between))


def _flatten(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Tasks without the blocks that hold them."""
    for task in tasks:
        inner = [each for name in BLOCKS for each in task.get(name) or []]
        if inner:
            yield from _flatten(inner)
        else:
            yield task


def count_checks(scenario: Scenario) -> int:
    """How many checks a scenario's validators hold."""
    return len(list_checks(scenario))


def list_checks(scenario: Scenario) -> list[str]:
    """Their names; of a shell validator the word after ``check``."""
    names = []
    for validator in scenario.validators:
        if validator.path.suffix == ".py":
            names += [name for name, _ in find_checks(load_validator(scenario.directory, validator.path))]
        else:
            found = SHELL_CHECK.finditer(validator.path.read_text(encoding="utf-8"))
            names += [match["name"].strip("'\"") for match in found]
    return names
