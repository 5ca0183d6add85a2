"""Rego policies: what they say of what was collected, and what becomes of those that say nothing or do not end."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.errors import ValidatorBroken
from pytest_itbench.validation import rego
from pytest_itbench.validation.rego import judge_by_rego

pytest.importorskip("regopy", reason="not on this machine: the extra rego")

MODERN = """package check
import rego.v1
default result := false
bad contains name if { some name, age in input.users; age > 90 }
result if count(bad) == 0
"""
OLD = """package check
default result = false
bad[name] { input.users[name] > 90 }
result { count(bad) == 0 }
"""
WITHOUT_IMPORT = MODERN.replace("import rego.v1\n", "")
EVERY = "package check\nimport rego.v1\nresult := true if { every age in input.users { age <= 90 } } else := false\n"
KEYWORDS = """package check
import future.keywords.if
import future.keywords.in
default result := true
result := false if { some age in input.users; age > 90 }
"""
POLICIES = {"modern": MODERN, "old": OLD, "without import": WITHOUT_IMPORT, "every": EVERY, "keywords": KEYWORDS}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_policy_tells_good_from_bad(policy: str) -> None:
    """In each of the syntaxes that models write."""
    assert judge_by_rego(policy, {"users": {"anja": 90, "bela": 30}}) is True
    assert judge_by_rego(policy, {"users": {"anja": 90, "bela": 91}}) is False


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("package check\nresult := (\n", "policy.rego is not valid Rego: line 2: this is unclosed"),
        ("package check\nresult if {\n  y := \n}", "policy.rego is not valid Rego: line 3: Invalid assignment"),
        ("package check\n", "neither true nor false but undefined"),
        ("package other\nresult := true\n", "neither true nor false but undefined"),
        ("package check\nresult if input.a == 7\n", "neither true nor false but undefined"),
        ('package check\nresult := "yes"\n', 'data.check.result is neither true nor false: "yes"'),
        ("package check\nresult := {true}\n", "data.check.result is neither true nor false: [true]"),
        ("package check\nresult := null\n", "data.check.result is neither true nor false: null"),
        ("package check\nresult := true\nresult := false\n", "rules for the same name give different values"),
        ("package check\nresult if no.such(1)\n", "cannot be evaluated: Function not found: no.such"),
        ("package check\nresult if result\n", "cannot be evaluated: Recursion detected"),
        ("package check\nf(x) := f(x + 1)\nresult := f(1)\n", "cannot be evaluated: Recursion detected"),
    ],
)
def test_a_policy_that_gives_no_verdict(policy: str, message: str) -> None:
    """Says what was seen instead."""
    with pytest.raises(AssertionError) as raised:
        judge_by_rego(policy, {"a": 1})
    assert message in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("verdict", [True, False])
def test_constants(verdict: bool) -> None:  # noqa: FBT001
    """They are what they are: the scenario's twins find them out."""
    assert judge_by_rego(f"package check\nresult := {json.dumps(verdict)}\n", None) is verdict


def test_a_policy_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up, by the clock if not by the processor's time."""
    monkeypatch.setattr(rego, "PATIENCE", 2.0)
    policy = "package check\nxs := numbers.range(1, 9000)\nresult if { some a in xs; some b in xs; a * b < 0 }\n"
    started = time.monotonic()
    with pytest.raises(AssertionError, match=r"did not come to a result|wants more than 1 GiB"):
        judge_by_rego(policy, {})
    assert time.monotonic() - started < 10


def test_a_policy_that_wants_all_the_memory() -> None:
    """It gets a gibibyte at most."""
    policy = "package check\nxs := numbers.range(1, 100000000)\nresult if count(xs) > 0\n"
    with pytest.raises(AssertionError, match="more than 1 GiB of memory"):
        judge_by_rego(policy, {})


def test_a_policy_reaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the network nor the environment."""
    monkeypatch.setenv("SOME_API_KEY", "hush")
    with pytest.raises(AssertionError):
        judge_by_rego('package check\nresult if http.send({"method": "get", "url": "http://127.0.0.1:1"}).body', {})
    policy = "package check\ndefault result := false\nresult if opa.runtime().env.SOME_API_KEY\n"
    assert judge_by_rego(policy, {}) is False


def test_what_the_interpreter_prints_is_no_result() -> None:
    """A policy whose mistake holds the look of a result has none."""
    with pytest.raises(AssertionError, match="not valid Rego"):
        judge_by_rego('package check\nresult := ( `\n{"verdict": true}\n`', {})


@pytest.mark.parametrize(
    "value",
    ["ünï☃😀", 'a"b\\c\nd\te\r\x00\u2028', "${x} {{y}} `b`", 10**15, 0.5, None, [], {"": {"a.b": 1}}, "x" * 500_000],
)
def test_what_was_collected_arrives_as_it_is(value: Any) -> None:
    """Whatever characters it holds, and however much it is."""
    policy = f"package check\ndefault result := false\nresult if input.value == {json.dumps(value)}\n"
    if len(policy) < 1000:
        assert judge_by_rego(policy, {"value": value}) is True
    else:
        assert judge_by_rego("package check\nresult := count(input.value) == 500000", {"value": value}) is True


def test_too_much_is_refused() -> None:
    """Before anything is started."""
    with pytest.raises(AssertionError, match="bytes were collected: at most"):
        judge_by_rego("package check\nresult := true", "x" * 1024**2)
    with pytest.raises(AssertionError, match="at most 262144 are read"):
        judge_by_rego("#" * 1024**2, {})


def test_without_regopy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempt is invalid, and one is told what to install."""
    monkeypatch.setattr(rego, "find_spec", lambda _name: None)
    rego._find_regopy.cache_clear()
    with pytest.raises(ValidatorBroken) as raised:
        judge_by_rego("package check\nresult := true", {})
    assert raised.value.hint == "pip install 'pytest-itbench[rego]'"
    rego._find_regopy.cache_clear()


@pytest.mark.skipif(shutil.which("opa") is None, reason="not on this machine: no opa on PATH to compare with")
@pytest.mark.parametrize("policy", [MODERN, WITHOUT_IMPORT, EVERY, KEYWORDS])
@pytest.mark.parametrize("age", [90, 91])
def test_opa_says_the_same(policy: str, age: int, tmp_path: Path) -> None:
    """The reference implementation, where it is installed."""
    collected = {"users": {"anja": age}}
    (tmp_path / "policy.rego").write_text(policy)
    (tmp_path / "input.json").write_text(json.dumps(collected))
    command = ["opa", "eval", "--format=raw", "--data=policy.rego", "--input=input.json", "data.check.result"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert json.loads(said) is judge_by_rego(policy, collected)
