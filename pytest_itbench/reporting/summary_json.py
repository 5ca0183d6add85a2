"""``summary.json``: the run's figures for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_itbench.metrics.summary import RunSummary
from pytest_itbench.reporting.document import build_document, describe_scenario

NAME = "summary.json"
LINES = 4
"""How deep in the document a value stands on a line of its own."""


def write(summary: RunSummary, directory: Path) -> Path:
    """Write ``summary.json`` into `directory` and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    path = directory / NAME
    # Scenario by scenario: a large run's attempts would fill the memory as builtins.
    document = build_document(replace(summary, scenarios=()))
    document["scenarios"] = (describe_scenario(result) for result in summary.scenarios)
    # ASCII, because a lone surrogate from a tool's output cannot be encoded otherwise.
    with path.open("w", encoding="ascii") as file:
        file.writelines(_render(document, 0))
        file.write("\n")
    return path


def _render(value: Any, depth: int) -> Iterator[str]:
    """JSON with one line for each attempt, or whatever else lies that deep; `json` is slow where it indents."""
    listed = isinstance(value, list | Iterator)
    if depth == LINES or not (listed or isinstance(value, dict)):
        yield json.dumps(value)
        return
    opening, closing = "[]" if listed else "{}"
    yield opening
    separator = ""
    for item in value if listed else value.items():
        key, inner = ("", item) if listed else (f"{json.dumps(item[0])}: ", item[1])
        yield f"{separator}\n{'  ' * (depth + 1)}{key}"
        yield from _render(inner, depth + 1)
        separator = ","
    yield f"\n{'  ' * depth}{closing}" if separator else closing


def load_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``summary.json``."""
    text = files("pytest_itbench.reporting").joinpath("schemas", "summary.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
