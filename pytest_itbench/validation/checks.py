"""Run every check of a scenario's validators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pytest_itbench.domain.outcome import CheckResult
from pytest_itbench.domain.scenario import Scenario, Validator
from pytest_itbench.validation.python_file import run_python_validator
from pytest_itbench.validation.shell_file import run_shell_validator

Runner = Callable[[Scenario, Validator, Mapping[str, Any]], Iterator[CheckResult]]

RUNNERS: dict[str, Runner] = {".py": run_python_validator, ".sh": run_shell_validator}


def run_checks(scenario: Scenario, hosts: Mapping[str, Any]) -> Iterator[CheckResult]:
    """The result of each check, as soon as it is there.

    Raises:
        ValidatorBroken: a validator cannot be loaded or run.
        EngineTrouble: a host's connection broke.
    """
    for validator in scenario.validators:
        yield from RUNNERS[validator.path.suffix](scenario, validator, hosts)
