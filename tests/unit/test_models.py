"""What users call models, and the models that need no provider."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from pytest_itbench.domain.candidate import ModelChoice, Prompt, Request
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.errors import MissingExtra, OptionMistake, ProviderTrouble, UnknownName
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models.choice import build_model, parse_model, parse_models, sweep
from pytest_itbench.registry import find_implementation


@pytest.fixture
def request_of(make_scenario: object) -> Request:
    """A request for attempt 1 of some scenario."""
    scenario: Scenario = load_scenario(make_scenario() / "scenario.yaml")  # type: ignore[operator]  # a fixture
    return Request(scenario=scenario, index=1, prompt=Prompt(system="S", user="U"))


@pytest.mark.parametrize(
    ("spec", "label", "kind", "name"),
    [
        ("oracle", "oracle", "oracle", ""),
        ("openai:gpt-5.2", "openai-gpt-5.2", "openai", "gpt-5.2"),
        ("openai:org/model:v1", "openai-org-model-v1", "openai", "org/model:v1"),
        ("replay:some/where/sample.jsonl", "replay-sample", "replay", "some/where/sample.jsonl"),
        ("new=openai:m@x[1]", "new", "openai", "m@x[1]"),
        ("script:./ask --flag a=b", "script-ask", "script", "./ask --flag a=b"),
    ],
)
def test_a_specification_is_read(spec: str, label: str, kind: str, name: str) -> None:
    """Kind and name are parted at the first colon; the label suits node ids."""
    choice = parse_model(spec)
    assert (choice.label, choice.kind, choice.name) == (label, kind, name)
    assert not set(choice.label) & set("[]@/: ")


@pytest.mark.parametrize("spec", ["", ":x", "Open AI:x", "=oracle"])
def test_nonsense_is_refused(spec: str) -> None:
    """What is not a specification says how one looks."""
    with pytest.raises(OptionMistake, match="KIND"):
        parse_model(spec)


def test_labels_are_unique() -> None:
    """The same model twice gets two labels; a label given twice is a mistake."""
    assert [choice.label for choice in parse_models(["oracle", "oracle", "a=noop"])] == ["oracle", "oracle-2", "a"]
    with pytest.raises(OptionMistake, match="two models have the label 'a'"):
        parse_models(["a=noop", "a=oracle"])


def test_an_unknown_kind_lists_the_known_ones() -> None:
    """The answer to a typing error is the list to choose from."""
    with pytest.raises(UnknownName, match=r"unknown model 'orcale'; known: .*oracle"):
        build_model(parse_model("orcale"))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose packages are not installed says what to install."""
    monkeypatch.setitem(sys.modules, "pydantic_ai.direct", None)
    monkeypatch.delitem(sys.modules, "pytest_itbench.models.provider", raising=False)
    with pytest.raises(MissingExtra, match=r"pip install 'pytest-itbench\[openai\]'"):
        find_implementation("models", "openai")


def test_oracle_and_noop_reply_as_models_do(request_of: Request) -> None:
    """Both hand in a fenced block."""
    oracle, noop = (build_model(parse_model(spec)).ask(request_of).text for spec in ("oracle", "noop"))
    assert oracle == "```yaml\n- hosts: all\n  tasks: []\n# right\n```\n"
    assert "tasks: []" in noop


def test_a_file_is_handed_in(request_of: Request, tmp_path: Path) -> None:
    """One playbook for every scenario; a file that is not there is the user's mistake."""
    (tmp_path / "p.yml").write_text("- hosts: x\n")
    assert build_model(parse_model(f"file:{tmp_path}/p.yml")).ask(request_of).text == "```yaml\n- hosts: x\n```\n"
    with pytest.raises(OptionMistake, match="cannot be read"):
        build_model(parse_model("file:gone.yml"))


def test_a_recording_answers_its_own_attempt(request_of: Request, tmp_path: Path) -> None:
    """Lines without a number count per scenario; a missing recording is no answer, never a repeated one."""
    lines = [{"scenario": "one", "reply": "a"}, {"scenario": "two", "reply": "x"}, {"scenario": "one", "reply": "b"}]
    file = tmp_path / "r.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    model = build_model(parse_model(f"replay:{file}"))
    assert model.ask(request_of).text == "b"
    with pytest.raises(ProviderTrouble, match="holds no reply to one for attempt 2"):
        model.ask(Request(scenario=request_of.scenario, index=2, prompt=request_of.prompt))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ":1: expected"),
        ('{"scenario": "a"}', "'reply'"),
        ('{"scenario": "a", "reply": 1}', "reply must be text"),
        ('{"scenario": "a", "reply": "x", "attempt": 0}\n{"scenario": "a", "reply": "y", "attempt": 0}', "twice"),
        ("[]", ":1: expected"),
    ],
)
def test_a_broken_recording_is_told(tmp_path: Path, line: str, said: str) -> None:
    """The file is checked before anything runs; the mistake has a line number."""
    file = tmp_path / "r.jsonl"
    file.write_text(line)
    with pytest.raises(OptionMistake, match=said):
        build_model(parse_model(f"replay:{file}"))


def write_script(path: Path, text: str) -> Path:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_script_gets_the_prompt_and_the_attempt(request_of: Request, tmp_path: Path) -> None:
    """Prompt on stdin, attempt in the environment, reply on stdout."""
    script = write_script(tmp_path / "ask", 'cat; echo "$ITBENCH_SCENARIO $ITBENCH_ATTEMPT $ITBENCH_LEVEL $1"')
    reply = build_model(parse_model(f"script:{script} arg")).ask(request_of)
    assert reply.text == "S\n\nUone 1 2 arg\n"


def test_a_script_that_fails_is_no_miss(request_of: Request, tmp_path: Path) -> None:
    """Its status and what it said on stderr are the cause of an invalid attempt."""
    script = write_script(tmp_path / "ask", "echo no key >&2; exit 3")
    with pytest.raises(ProviderTrouble, match=r"ended with status 3: no key"):
        build_model(parse_model(f"script:{script}")).ask(request_of)
    with pytest.raises(ProviderTrouble, match="cannot be started"):
        build_model(parse_model("script:/no/such/command")).ask(request_of)
    with pytest.raises(OptionMistake, match="needs a command"):
        build_model(parse_model("script:"))


def test_a_script_that_hangs_is_stopped_with_its_children(request_of: Request, tmp_path: Path) -> None:
    """The time limit holds although a child keeps the output open."""
    script = write_script(tmp_path / "ask", "sleep 60 & sleep 60")
    choice = ModelChoice(label="s", kind="script", name=str(script), timeout=0.2)
    with pytest.raises(ProviderTrouble, match=r"no reply within 0.2 s"):
        build_model(choice).ask(request_of)


def test_the_fixture_kind_says_what_is_missing(request_of: Request) -> None:
    """Without a conftest that defines the fixture, nobody answers."""
    with pytest.raises(ProviderTrouble, match="defines the fixture itbench_model"):
        build_model(parse_model("fixture:mine")).ask(request_of)


def test_sweeps_give_each_point_its_label() -> None:
    """What there is one of stands in no label; what there are several of stands in all."""
    choices = parse_models(["openai:m"])
    assert [c.label for c in sweep(choices, [0.2], [2])] == ["openai-m"]
    assert [c.label for c in sweep(choices, [0.2, 0.8], [1, 3])] == [
        "openai-m-t0.2-l1",
        "openai-m-t0.8-l1",
        "openai-m-t0.2-l3",
        "openai-m-t0.8-l3",
    ]
    assert [(c.sampling.temperature, c.level) for c in sweep(choices, [], [3])] == [(None, 3)]


def test_a_script_that_never_stops_talking_is_stopped(request_of: Request, tmp_path: Path) -> None:
    """What it says beyond the limit is not kept in memory; it is ended there."""
    script = write_script(tmp_path / "ask", "exec yes")
    with pytest.raises(ProviderTrouble, match="ended with status -9"):
        build_model(parse_model(f"script:{script}")).ask(request_of)
