"""An OpenAI-compatible endpoint, served here."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.domain.candidate import ModelChoice, Prompt, Request, Sampling
from pytest_itbench.errors import MissingExtra, OptionMistake, ProviderTrouble
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models import provider
from pytest_itbench.models.choice import build_model
from pytest_itbench.models.provider import KEYS
from pytest_itbench.testing.chat import ChatEndpoint, serve_chat


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    """A running endpoint."""
    with serve_chat() as endpoint:
        yield endpoint


@pytest.fixture
def question(make_scenario: Any) -> Request:
    """Some request."""
    scenario = load_scenario(make_scenario() / "scenario.yaml")
    return Request(scenario=scenario, index=0, prompt=Prompt(system="be good", user="do it"))


def choose(endpoint: ChatEndpoint, **more: Any) -> ModelChoice:
    """The endpoint's model."""
    return ModelChoice(label="m", kind="openai", name="m", options={"base_url": endpoint.url}, **more)


SAMPLING = Sampling(
    temperature=0.0,
    top_p=0.5,
    max_tokens=99,
    seed=7,
    stop=("END",),
    parameters=(("presence_penalty", 0.25), ("min_p", 0.1)),
)


def test_one_request_one_reply(endpoint: ChatEndpoint, question: Request) -> None:
    """System and user message are sent as they are; text and usage come back."""
    reply = build_model(choose(endpoint)).ask(question)
    assert (reply.text, reply.usage.input_tokens, reply.usage.output_tokens) == ("an answer", 11, 7)
    (seen,) = endpoint.seen
    assert [(m["role"], m["content"]) for m in seen["messages"]] == [("system", "be good"), ("user", "do it")]
    assert "temperature" not in seen


def test_sampling_is_passed_on(endpoint: ChatEndpoint, question: Request) -> None:
    """Temperature and length reach the provider when they were given."""
    build_model(choose(endpoint, sampling=SAMPLING)).ask(question)
    seen = endpoint.seen[0]
    assert 99 in (seen.pop("max_tokens", None), seen.pop("max_completion_tokens", None))
    wanted = {"temperature": 0.0, "top_p": 0.5, "seed": 7, "stop": ["END"], "presence_penalty": 0.25, "min_p": 0.1}
    assert {name: seen.get(name) for name in wanted} == wanted


def test_the_finish_reason_is_kept(endpoint: ChatEndpoint, question: Request) -> None:
    """A reply that reached its limit says so."""
    endpoint.finish = "length"
    assert build_model(choose(endpoint)).ask(question).finish == "length"


def test_a_refusal_is_no_miss(endpoint: ChatEndpoint, question: Request) -> None:
    """What the provider says is the cause of an invalid attempt."""
    endpoint.status = 401
    with pytest.raises(ProviderTrouble, match=r"m gave no reply: .*bad key"):
        build_model(choose(endpoint)).ask(question)


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_a_missing_key_is_the_users_mistake(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a key, nothing runs, and the message names the variable."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in os.environ:
        if name.endswith(("_KEY", "_TOKEN", "_BASE_URL", "_REGION", "_ENDPOINT")):
            monkeypatch.delenv(name)
    with pytest.raises(OptionMistake, match=f"{kind}:m cannot be asked: set {KEYS[kind].split()[0].rstrip(',')}"):
        build_model(ModelChoice(label="m", kind=kind, name="m"))


@pytest.mark.parametrize(("kind", "package"), [("anthropic", "anthropic"), ("mistral", "mistralai"), ("groq", "groq")])
def test_a_missing_sdk_names_its_extra(kind: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """pydantic-ai alone is not enough for a provider; the message says what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package or f".{kind}" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"pip install 'pytest-itbench\[{kind}\]'"):
        build_model(ModelChoice(label="m", kind=kind, name="m"))


def test_a_name_is_needed() -> None:
    """The kind alone names no model."""
    with pytest.raises(OptionMistake, match="needs a model's name"):
        build_model(ModelChoice(label="m", kind="openai", name=""))


@pytest.mark.parametrize(
    ("status", "temporary", "limited"), [(429, True, True), (500, True, False), (503, True, False), (401, False, False)]
)
def test_troubles_are_told_apart(
    endpoint: ChatEndpoint, question: Request, *, status: int, temporary: bool, limited: bool
) -> None:
    """What may pass is tried again by the gate, and by nobody else."""
    endpoint.status = status
    with pytest.raises(ProviderTrouble) as caught:
        build_model(choose(endpoint)).ask(question)
    assert (caught.value.temporary, caught.value.limited) == (temporary, limited)
    assert len(endpoint.seen) == 1


def test_a_server_that_is_not_there_may_come(question: Request) -> None:
    """A refused connection is temporary."""
    choice = ModelChoice(label="m", kind="openai", name="m", options={"base_url": "http://127.0.0.1:9/v1"})
    with pytest.raises(ProviderTrouble) as caught:
        build_model(choice).ask(question)
    assert caught.value.temporary


def test_prices(endpoint: ChatEndpoint, question: Request) -> None:
    """The user's price counts; without one, a model that the table does not know has none."""
    assert build_model(choose(endpoint)).ask(question).usage.cost is None
    priced = ModelChoice(
        label="m", kind="openai", name="m", options={"base_url": endpoint.url, "price": (1_000_000.0, 2_000_000.0)}
    )
    assert build_model(priced).ask(question).usage.cost == 11 + 2 * 7


def test_threads_that_ask_first_share_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections belong to the loop that made them, so that there must be one, however slowly it is made."""
    started: list[asyncio.AbstractEventLoop] = []

    def start_slowly() -> asyncio.AbstractEventLoop:
        time.sleep(0.05)
        started.append(asyncio.new_event_loop())
        return started[-1]

    monkeypatch.setattr(provider, "_start_loop", cache(start_slowly))
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: provider.find_loop(), range(4)))
    for loop in started:
        loop.close()
    assert len(started) == len(found) == 1
