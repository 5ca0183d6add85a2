"""YAML that a model wrote, read in a process of its own: a small file may stand for more than fits into any memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pytest_itbench.errors import ValidatorBroken
from pytest_itbench.validation.limited import run_limited

PATIENCE = 60.0
"""Seconds on the clock; the process itself may use ten of a processor."""
LARGEST = 256 * 1024


def read_yaml(text: str, name: str = "the YAML", *, largest: int = LARGEST) -> list[Any]:
    """The documents in a text that need not be trusted, as values that JSON has; empty documents are left out.

    Keys are texts. Dates, and whatever else JSON has not, stay as they are written. Aliases, merge keys, keys that
    stand twice in one mapping and tags that are not YAML's own are refused.

    Args:
        text: what somebody wrote.
        name: what messages call it.
        largest: how many bytes are read at most.

    Raises:
        AssertionError: it cannot be read; in one line.
        ValidatorBroken: the process that reads it failed.
    """
    size = len(text.encode(errors="replace"))
    assert size <= largest, f"{name} has {size} bytes: at most {largest} are read"
    library = str(Path(yaml.__file__).parents[1])
    try:
        told = run_limited("yaml_process.py", library, {"text": text}, about=name, patience=PATIENCE)
    except TimeoutError as error:  # it has nothing to wait for: either it uses up its processor's time, or it gets none
        raise ValidatorBroken(str(error), hint="is this machine too busy?") from error
    if "refused" in told:
        raise AssertionError(f"{name} cannot be read: {told['refused']}")
    documents: list[Any] = told["documents"]
    return documents
