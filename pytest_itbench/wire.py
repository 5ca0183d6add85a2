"""An outcome as plain builtins with a schema version, and back.

This is the only form in which an outcome crosses from an xdist worker to the controller, or lies on disk.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from cattrs.preconf.json import JsonConverter, make_converter

from pytest_itbench.domain.outcome import FailureKind, Outcome, Stage, Verdict

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class UnknownSchema(Exception):
    """A record was written by a version of pytest-itbench whose format this one cannot read."""

    seen: object

    def __str__(self) -> str:
        return f"outcome schema {self.seen!r} is not known here (expected {SCHEMA})"


@cache
def converter() -> JsonConverter:
    """The one converter between domain values and builtins."""
    made = make_converter(forbid_extra_keys=True)
    for closed in (Verdict, Stage, FailureKind):
        # Its members are strings, but xdist's serialiser knows none but the plain type.
        made.register_unstructure_hook(closed, lambda member: member.value)
    return made


def dump(outcome: Outcome) -> dict[str, Any]:
    """Turn an outcome into a dict of builtins.

    >>> dump(outcome)["schema"]  # doctest: +SKIP
    1
    """
    return {"schema": SCHEMA, **converter().unstructure(outcome)}


def load(record: dict[str, Any]) -> Outcome:
    """Turn what `dump` made back into an outcome.

    Raises:
        UnknownSchema: the record has another schema version.
    """
    fields = dict(record)
    schema = fields.pop("schema", None)
    if schema != SCHEMA:
        raise UnknownSchema(schema)
    return converter().structure(fields, Outcome)


def dump_line(outcome: Outcome) -> str:
    """One line of ``outcomes.jsonl``, without its line end."""
    return json.dumps(dump(outcome), ensure_ascii=False, sort_keys=True)


def load_line(line: str) -> Outcome:
    """Read one line of ``outcomes.jsonl``.

    Raises:
        ValueError: the line is not JSON.
        UnknownSchema: the record has another schema version.
    """
    return load(json.loads(line))
