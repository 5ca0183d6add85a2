"""Outcomes on their way between processes and to disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_itbench.domain.outcome import (
    AttemptKey,
    CheckResult,
    FailureKind,
    Outcome,
    Stage,
    Usage,
    Verdict,
)
from pytest_itbench.wire import SCHEMA, UnknownSchema, dump, dump_line, load, load_line

FRACTIONS = st.floats(0, 1)
NAMES = st.text(max_size=8)
OUTCOMES = st.builds(
    Outcome,
    key=st.builds(AttemptKey, scenario=NAMES, model=NAMES, index=st.integers(0, 99)),
    verdict=st.sampled_from(Verdict),
    stage=st.sampled_from(Stage),
    domain=NAMES,
    difficulty=NAMES,
    tags=st.lists(NAMES, max_size=2).map(tuple),
    level=st.integers(1, 3),
    started=st.datetimes(timezones=st.just(UTC)),
    kind=st.none() | st.sampled_from(FailureKind),
    message=st.text(),
    hint=NAMES,
    checks=st.lists(
        st.builds(CheckResult, name=NAMES, passed=st.booleans(), message=NAMES, seconds=FRACTIONS), max_size=2
    ).map(tuple),
    score=st.none() | FRACTIONS,
    usage=st.builds(
        Usage,
        requests=st.integers(0, 9),
        input_tokens=st.none() | st.integers(0, 9),
        output_tokens=st.none() | st.integers(0, 9),
        cost=st.none() | FRACTIONS,
    ),
    timings=st.dictionaries(NAMES, FRACTIONS, max_size=2),
    evidence=st.dictionaries(NAMES, NAMES, max_size=2),
    worker=NAMES,
)
PLAIN = Outcome(
    key=AttemptKey(scenario="a", model="m", index=0),
    verdict=Verdict.MISSED,
    stage=Stage.APPLY,
    kind=FailureKind.TASK_FAILED,
    domain="networking",
    difficulty="easy",
    tags=("x",),
    level=2,
    started=datetime(2026, 1, 2, tzinfo=UTC),
)


def builtins_only(value: Any) -> bool:
    """Whether execnet could serialise the value: exact builtin types all the way down."""
    if type(value) is dict:
        return all(type(key) is str and builtins_only(item) for key, item in value.items())
    if type(value) is list:
        return all(map(builtins_only, value))
    return type(value) in {str, int, float, bool, type(None)}


@given(OUTCOMES)
def test_an_outcome_survives_the_crossing(outcome: Outcome) -> None:
    """Dumping and loading gives the same outcome, whatever text it holds."""
    assert load(dump(outcome)) == outcome


@given(OUTCOMES)
def test_an_outcome_survives_the_disk(outcome: Outcome) -> None:
    """An outcome is exactly one line of JSON, and reading it gives the same outcome."""
    line = dump_line(outcome)
    assert "\n" not in line
    assert load_line(line) == outcome


@given(OUTCOMES)
def test_a_record_is_made_of_builtins(outcome: Outcome) -> None:
    """Nothing but exact builtin types leaves a worker, for anything else kills it."""
    assert builtins_only(dump(outcome))


@pytest.mark.parametrize("schema", [SCHEMA + 1, None, "1"])
def test_a_record_of_another_schema_is_refused(schema: object) -> None:
    """A record of another version is refused by name, not misread."""
    with pytest.raises(UnknownSchema, match=repr(schema)):
        load({**dump(PLAIN), "schema": schema})


def test_a_record_without_schema_is_refused() -> None:
    """A record that does not tell its version is refused."""
    record = dump(PLAIN)
    del record["schema"]
    with pytest.raises(UnknownSchema):
        load(record)


def test_an_unknown_field_is_refused() -> None:
    """A field that this version does not know is an error, not silently dropped."""
    with pytest.raises(Exception, match="Outcome"):
        load({**dump(PLAIN), "surprise": 1})


def test_a_line_that_is_not_json_is_refused() -> None:
    """A line cut off by a crash raises the ValueError that callers catch."""
    with pytest.raises(ValueError, match="line 1"):
        load_line(dump_line(PLAIN)[:-5])


def test_a_line_tells_its_schema() -> None:
    """Each line of outcomes.jsonl carries the schema version."""
    assert json.loads(dump_line(PLAIN))["schema"] == SCHEMA
