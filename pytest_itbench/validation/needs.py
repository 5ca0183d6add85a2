"""Tools that checks need and that not every machine can have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec

from pytest_itbench.domain.scenario import PARTS, Scenario
from pytest_itbench.validation.kyverno import explain_missing_kyverno

REGO = "policy.rego"
FINDERS: Mapping[str, Callable[[], str]] = {"kyverno": explain_missing_kyverno}
"""By the name of a tool, what says why it cannot be had here; empty when it can."""


def find_missing_tool(scenario: Scenario) -> str:
    """Why a scenario's checks cannot be run here; empty when they can."""
    if REGO in PARTS[scenario.candidate] and find_spec("regopy") is None:
        return "Rego policies need: pip install 'pytest-itbench[rego]'"
    return next((problem for name in scenario.needs if (problem := FINDERS[name]())), "")


def diagnose_tools() -> Iterator[tuple[bool, str]]:
    """A line for each tool, for ``pytest-itbench doctor``: missing ones are well, but their scenarios are skipped."""
    for name, explain in FINDERS.items():
        problem = explain()
        yield True, f"{name}: {f'not here, and scenarios that need it are skipped: {problem}' if problem else 'there'}"
