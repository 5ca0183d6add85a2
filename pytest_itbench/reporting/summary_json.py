"""``summary.json``: the run's figures for programs."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_itbench.metrics.summary import RunSummary
from pytest_itbench.reporting.document import build_document

NAME = "summary.json"


def write(summary: RunSummary, directory: Path) -> Path:
    """Write ``summary.json`` into `directory` and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    path = directory / NAME
    # ASCII, because a lone surrogate from a tool's output cannot be encoded otherwise.
    path.write_text(json.dumps(build_document(summary), indent=2) + "\n", encoding="ascii")
    return path


def load_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``summary.json``."""
    text = files("pytest_itbench.reporting").joinpath("schemas", "summary.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
