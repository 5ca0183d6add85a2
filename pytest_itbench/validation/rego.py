"""Rego policies, judged by regopy in a process of their own: a policy may not end, or want all the memory."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_itbench.errors import ValidatorBroken
from pytest_itbench.validation.limited import SHOWN, run_limited

PATIENCE = 20.0
"""Seconds on the clock; the process itself may use ten of a processor."""
LARGEST_INPUT = 1024**2
LARGEST_POLICY = 256 * 1024

MESSAGE = re.compile(r"\(errormsg \d+:(.*?)\)\n|\(errormsg \d+:(.*?)\)$", re.DOTALL)
OFFSET = re.compile(r"\(error \d+:policy\.rego\|(\d+)\|")


def judge_by_rego(policy: str, collected: Any) -> bool:
    """What `policy` makes of the collected data (``data.check.result``).

    Raises:
        AssertionError: the policy says neither true nor false.
        ValidatorBroken: regopy is not installed, or cannot be run.
    """
    text = json.dumps(collected)
    assert len(text) <= LARGEST_INPUT, f"{len(text)} bytes were collected: at most {LARGEST_INPUT} are judged"
    assert len(policy) <= LARGEST_POLICY, f"policy.rego has {len(policy)} bytes: at most {LARGEST_POLICY} are read"
    return _read(_evaluate(policy, text), policy)


@cache
def _find_regopy() -> str:
    found = find_spec("regopy")
    if found is None or found.origin is None:
        raise ValidatorBroken(
            "Rego policies are judged by the Python package regopy, which is not installed",
            hint="pip install 'pytest-itbench[rego]'",
        )
    return str(Path(found.origin).parents[1])


def _evaluate(policy: str, text: str) -> dict[str, Any]:
    asked = {"policy": policy, "input": text}
    try:
        result: dict[str, Any] = run_limited(
            "rego_process.py", _find_regopy(), asked, about="policy.rego", patience=PATIENCE
        )
    except TimeoutError:
        raise AssertionError(f"policy.rego did not come to a result within {PATIENCE:g} seconds") from None
    return result


def _read(result: dict[str, Any], policy: str) -> bool:
    if "invalid" in result:
        raise AssertionError(f"policy.rego is not valid Rego: {_find_message(result['invalid'], policy)}")
    if "error" in result:
        raise AssertionError(f"policy.rego cannot be evaluated: {_find_message(result['error'], policy)}")
    if result.get("undefined"):
        raise AssertionError(
            "data.check.result is neither true nor false but undefined: "
            "give it a default, and see that the package is check"
        )
    verdict = result["verdict"]
    if not isinstance(verdict, bool):
        raise AssertionError(f"data.check.result is neither true nor false: {result['seen']}")  # noqa: TRY004  # fails the check
    return verdict


def _find_message(complaint: str, policy: str) -> str:
    """The interpreter's own words, with the line that they are about."""
    if complaint.strip() == "<error>":
        return "rules for the same name give different values, or a built-in function cannot be used like this"
    match = MESSAGE.search(complaint)
    words = (match[1] or match[2] if match else complaint.strip())[:SHOWN]
    offset = OFFSET.search(complaint)
    line = policy.encode()[: int(offset[1])].count(b"\n") + 1 if offset else 0
    return f"line {line}: {words}" if line else words
