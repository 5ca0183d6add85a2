"""Find out with pytest whether a language model can do IT work.

What conftests, models, solvers and checks need can be imported from here; it is loaded when it is first asked for,
because the plugin sits in every pytest start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_itbench.domain.candidate import Candidate, ModelChoice, Prompt, Proposal, Reply, Request
    from pytest_itbench.domain.outcome import CheckResult, FailureKind, Outcome, Stage, Usage, Verdict
    from pytest_itbench.domain.scenario import Scenario
    from pytest_itbench.errors import AttemptInvalid, OptionMistake, ProviderTrouble
    from pytest_itbench.validation.yaml_text import read_yaml

__all__ = [
    "AttemptInvalid",
    "Candidate",
    "CheckResult",
    "FailureKind",
    "ModelChoice",
    "OptionMistake",
    "Outcome",
    "Prompt",
    "Proposal",
    "ProviderTrouble",
    "Reply",
    "Request",
    "Scenario",
    "Stage",
    "Usage",
    "Verdict",
    "read_yaml",
]

_HOMES = ("domain.candidate", "domain.outcome", "domain.scenario", "errors", "validation.yaml_text")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
