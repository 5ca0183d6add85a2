"""An OpenAI-compatible endpoint, served here."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.domain.candidate import ModelChoice, Prompt, Request, Sampling
from pytest_itbench.errors import MissingExtra, OptionMistake, ProviderTrouble
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models.choice import build_model
from pytest_itbench.models.provider import KEYS


class Endpoint(ThreadingHTTPServer):
    """Remembers what it was asked and answers with `status`."""

    daemon_threads = True
    status = 200
    finish = "stop"
    seen: list[dict[str, Any]]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    """One chat completion."""

    server: Endpoint

    def do_POST(self) -> None:
        """Answer as the protocol says."""
        self.server.seen.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        message = {"role": "assistant", "content": "an answer"}
        content: dict[str, Any] = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": self.server.finish, "message": message}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }
        body = json.dumps(content if self.server.status == 200 else {"error": {"message": "bad key"}}).encode()
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Stay silent."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A running endpoint."""
    server = Endpoint(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def question(make_scenario: Any) -> Request:
    """Some request."""
    scenario = load_scenario(make_scenario() / "scenario.yaml")
    return Request(scenario=scenario, index=0, prompt=Prompt(system="be good", user="do it"))


def choose(endpoint: Endpoint, **more: Any) -> ModelChoice:
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


def test_one_request_one_reply(endpoint: Endpoint, question: Request) -> None:
    """System and user message are sent as they are; text and usage come back."""
    reply = build_model(choose(endpoint)).ask(question)
    assert (reply.text, reply.usage.input_tokens, reply.usage.output_tokens) == ("an answer", 11, 7)
    (seen,) = endpoint.seen
    assert [(m["role"], m["content"]) for m in seen["messages"]] == [("system", "be good"), ("user", "do it")]
    assert "temperature" not in seen


def test_sampling_is_passed_on(endpoint: Endpoint, question: Request) -> None:
    """Temperature and length reach the provider when they were given."""
    build_model(choose(endpoint, sampling=SAMPLING)).ask(question)
    seen = endpoint.seen[0]
    assert 99 in (seen.pop("max_tokens", None), seen.pop("max_completion_tokens", None))
    wanted = {"temperature": 0.0, "top_p": 0.5, "seed": 7, "stop": ["END"], "presence_penalty": 0.25, "min_p": 0.1}
    assert {name: seen.get(name) for name in wanted} == wanted


def test_the_finish_reason_is_kept(endpoint: Endpoint, question: Request) -> None:
    """A reply that reached its limit says so."""
    endpoint.finish = "length"
    assert build_model(choose(endpoint)).ask(question).finish == "length"


def test_a_refusal_is_no_miss(endpoint: Endpoint, question: Request) -> None:
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
    endpoint: Endpoint, question: Request, *, status: int, temporary: bool, limited: bool
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


def test_prices(endpoint: Endpoint, question: Request) -> None:
    """The user's price counts; without one, a model that the table does not know has none."""
    assert build_model(choose(endpoint)).ask(question).usage.cost is None
    priced = ModelChoice(
        label="m", kind="openai", name="m", options={"base_url": endpoint.url, "price": (1_000_000.0, 2_000_000.0)}
    )
    assert build_model(priced).ask(question).usage.cost == 11 + 2 * 7
