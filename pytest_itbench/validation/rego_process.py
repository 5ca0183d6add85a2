"""Evaluates one Rego policy: a job of `limited_process`, so that it imports nothing of this package."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

QUERY = "verdict := data.check.result"
LONGEST = 128 * 1024
"""How many characters of a complaint are handed back."""


def prepare() -> Any:
    """An interpreter."""
    return importlib.import_module("regopy").Interpreter()


def work(interpreter: Any, asked: Mapping[str, str]) -> dict[str, Any]:
    """What came out: `verdict`, or `undefined`, or the interpreter's `error`; `invalid` when it cannot be read."""
    try:
        interpreter.add_module("policy.rego", asked["policy"])
    except Exception as error:  # noqa: BLE001  # regopy promises no kind
        return {"invalid": str(error)[:LONGEST]}
    interpreter.set_input_term(asked["input"])
    try:
        answer = str(interpreter.query(QUERY))
    except json.JSONDecodeError as error:  # regopy takes errors for results, too
        return {"error": error.doc[:LONGEST]}
    except Exception as error:  # noqa: BLE001  # as above
        return {"error": str(error)[:LONGEST]}
    if answer == "undefined":
        return {"undefined": True}
    try:
        verdict = json.loads(answer)["bindings"]["verdict"]
    except (ValueError, LookupError, TypeError):
        return {"error": answer[:LONGEST]}
    return {"verdict": verdict if isinstance(verdict, bool) else None, "seen": json.dumps(verdict)[:200]}
