"""``validate.py``: functions named ``check_*`` or ``test_*`` that take hosts by name and assert."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import math
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_itbench.domain.outcome import CheckResult
from pytest_itbench.domain.scenario import Scenario, Validator
from pytest_itbench.errors import ItbenchError, ValidatorBroken
from pytest_itbench.validation.handed import Handles

PACKAGE = "itbench_scenarios"
"""Validators are imported below this name; the plugin has pytest rewrite their assertions."""

PREFIXES = ("check_", "test_")

SCORE = "score"
"""The argument by which a check gives a score, 0 to 1: ``score(0.8)``."""

PYTESTS_FAILURE = "Failed"
"""What ``pytest.fail`` raises; it is no Exception, and pytest is not known here."""

Check = Callable[..., object]


def run_python_validator(scenario: Scenario, validator: Validator, hosts: Mapping[str, Any]) -> Iterator[CheckResult]:
    """Call each check function, in the order in which the file defines them."""
    module = load_validator(scenario.directory, validator.path)
    for name, function in find_checks(module):
        arguments = _match_arguments(function, validator, hosts)
        yield _run_check(name, function, arguments)


@cache
def load_validator(directory: Path, path: Path) -> ModuleType:
    """Import a validator; it may import its neighbours relatively.

    Raises:
        ValidatorBroken: it cannot be imported.
    """
    package = f"{PACKAGE}.s{hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]}"
    _make_package(PACKAGE, [])
    _make_package(package, [str(directory)])
    relative = path.relative_to(directory).with_suffix("")
    try:
        return importlib.import_module(".".join((package, *relative.parts)))
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        text = "".join(traceback.format_exception_only(error)).strip()
        raise ValidatorBroken(f"{path} cannot be imported: {text}") from error


@cache
def find_checks(module: ModuleType) -> list[tuple[str, Check]]:
    """The check functions of a validator by name, in the order of their definition.

    Raises:
        ValidatorBroken: there is none.
    """
    found: list[tuple[str, Check]] = [
        (name.removeprefix("check_").removeprefix("test_"), thing)
        for name, thing in vars(module).items()
        if name.startswith(PREFIXES) and inspect.isfunction(thing) and thing.__module__ == module.__name__
    ]
    if not found:
        raise ValidatorBroken(f"{module.__file__} defines no function named check_… or test_…")
    for name, function in found:
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise ValidatorBroken(f"{module.__file__}: check {name} would never run: it is async or has a yield")
    return found


def _make_package(name: str, path: list[str]) -> None:
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = path
        sys.modules[name] = package


def _match_arguments(function: Check, validator: Validator, hosts: Mapping[str, Any]) -> dict[str, object]:
    known: dict[str, object] = {name.replace("-", "_"): host for name, host in hosts.items()}
    known |= {"hosts": hosts} | ({"host": hosts[validator.host]} if validator.host in hosts else {})
    if isinstance(hosts, Handles):
        known["candidate"] = hosts.candidate
    wanted = [name for name in _find_arguments(function) if name != SCORE]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        place = f"{validator.path}:{function.__code__.co_firstlineno}"
        raise ValidatorBroken(f"{place}: unknown argument {unknown[0]!r}; known: {', '.join(sorted(known))}")
    return {name: known[name] for name in wanted}


@cache
def _find_arguments(function: Check) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def _run_check(name: str, function: Check, arguments: dict[str, object]) -> CheckResult:
    started = time.monotonic()
    noted: list[float] = []
    if SCORE in _find_arguments(function):
        arguments |= {SCORE: lambda value: noted.append(_read_score(name, value))}
    try:
        given = function(**arguments)
        problem = None
    except (ItbenchError, KeyboardInterrupt, GeneratorExit):
        raise
    except (NameError, ImportError, SyntaxError) as error:  # mistakes that no state of a host can cause
        raise ValidatorBroken(f"check {name} is broken: {type(error).__name__}: {error}") from error
    except Exception as error:  # noqa: BLE001  # what a host sends may break any parsing: that check failed
        problem = _describe(error)
    except BaseException as error:
        if type(error).__name__ != PYTESTS_FAILURE:
            raise ValidatorBroken(f"check {name} neither passes nor fails: {type(error).__name__}: {error}") from error
        problem = str(error)
    else:
        if given is not None:
            raise ValidatorBroken(f"check {name} gives {given!r}: it must assert, and give nothing")
    seconds = round(time.monotonic() - started, 4)
    if problem and not noted and SCORE in arguments:
        noted = [0.0]  # it failed before it came to its score
    score = noted[-1] if noted else None
    return CheckResult(name=name, passed=problem is None, message=problem or "", seconds=seconds, score=score)


def _read_score(name: str, value: object) -> float:
    if not isinstance(value, int | float) or math.isnan(value):
        raise ValidatorBroken(f"check {name} gives the score {value!r}: a number from 0 to 1 is expected")
    return min(1.0, max(0.0, float(value)))


def _describe(error: Exception) -> str:
    text = str(error).strip()
    if isinstance(error, AssertionError) and text:
        return text.partition("\nassert ")[0]  # the author's own words; without any, what pytest found out
    frame = traceback.extract_tb(error.__traceback__)[-1]
    kind = "assertion failed" if isinstance(error, AssertionError) else type(error).__name__
    return f"{kind}: {text or frame.line}"
