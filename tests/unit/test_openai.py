"""An OpenAI-compatible endpoint, served here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pytest_itbench.domain.candidate import ModelChoice, Prompt, Request, Sampling
from pytest_itbench.errors import OptionMistake, ProviderTrouble
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models.choice import build_model

pytest.importorskip("pydantic_ai")


class Endpoint(ThreadingHTTPServer):
    """Remembers what it was asked and answers with `status`."""

    daemon_threads = True
    status = 200
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
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
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


def test_one_request_one_reply(endpoint: Endpoint, question: Request) -> None:
    """System and user message are sent as they are; text and usage come back."""
    reply = build_model(choose(endpoint)).ask(question)
    assert (reply.text, reply.usage.input_tokens, reply.usage.output_tokens) == ("an answer", 11, 7)
    (seen,) = endpoint.seen
    assert [(m["role"], m["content"]) for m in seen["messages"]] == [("system", "be good"), ("user", "do it")]
    assert "temperature" not in seen


def test_sampling_is_passed_on(endpoint: Endpoint, question: Request) -> None:
    """Temperature and length reach the provider when they were given."""
    build_model(choose(endpoint, sampling=Sampling(temperature=0.0, max_tokens=99))).ask(question)
    seen = endpoint.seen[0]
    assert seen["temperature"] == 0.0
    assert 99 in (seen.get("max_tokens"), seen.get("max_completion_tokens"))


def test_a_refusal_is_no_miss(endpoint: Endpoint, question: Request) -> None:
    """What the provider says is the cause of an invalid attempt."""
    endpoint.status = 401
    with pytest.raises(ProviderTrouble, match=r"m gave no reply: .*bad key"):
        build_model(choose(endpoint)).ask(question)


def test_a_missing_key_is_the_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key, nothing runs, and the message names the variable."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OptionMistake, match="OPENAI_API_KEY"):
        build_model(ModelChoice(label="m", kind="openai", name="m"))


def test_a_name_is_needed() -> None:
    """The kind alone names no model."""
    with pytest.raises(OptionMistake, match="needs a model's name"):
        build_model(ModelChoice(label="m", kind="openai", name=""))
