"""All workers of a run share one limit and one budget."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ANSWER = "```yaml\n- hosts: all\n# right\n```"


class Endpoint(ThreadingHTTPServer):
    """Takes its time to answer, counts who is being answered, and refuses every `refuse`-th request as too many."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.now, self.peak, self.seen, self.refuse = threading.Lock(), 0, 0, 0, 0

    def count(self, step: int) -> int:
        """Somebody comes (1) or goes (-1); gives how many came so far."""
        with self.lock:
            self.now += step
            self.peak = max(self.peak, self.now)
            self.seen += max(step, 0)
            return self.seen


class Handler(BaseHTTPRequestHandler):
    """One slow chat completion."""

    server: Endpoint

    def do_POST(self) -> None:
        """Answer as the protocol says."""
        self.rfile.read(int(self.headers["content-length"]))
        number = self.server.count(1)
        time.sleep(0.1)
        refused = self.server.refuse and number % self.server.refuse == 0
        message = {"role": "assistant", "content": ANSWER}
        content: dict[str, Any] = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
        content["choices"] = [{"index": 0, "finish_reason": "stop", "message": message}]
        content["usage"] = {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100}
        body = json.dumps({"error": {"message": "slow down"}} if refused else content).encode()
        self.server.count(-1)
        self.send_response(429 if refused else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if refused:
            self.send_header("retry-after", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Stay silent."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A running endpoint."""
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(
    pytester: pytest.Pytester,
    make_scenario: Callable[..., Path],
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Asks the endpoint for attempts at two scenarios, on fake environments."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    for name in ("one", "two"):
        make_scenario(name, below=pytester.path / "scenarios")
    url = f"--itbench-base-url=http://127.0.0.1:{endpoint.server_address[1]}/v1"

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(
            "scenarios", "--itbench-model=m=openai:m", url, "--itbench-run=r", *arguments
        )

    return run


def test_requests_stay_at_the_limit(run: Run, endpoint: Endpoint) -> None:
    """Six workers, two requests at once: the limit is used and never passed."""
    result = run("-n6", "--itbench-concurrency=2", "--itbench-attempts=9")
    result.assert_outcomes(passed=18)
    assert (endpoint.peak, endpoint.seen) == (2, 18)
    result.stdout.fnmatch_lines(["spent:    18 requests, 1800 tokens, at most 2 at once"])


def test_refusals_become_no_verdict(run: Run, endpoint: Endpoint) -> None:
    """What was refused as too many is asked again until it is answered."""
    endpoint.refuse = 4
    result = run("-n3", "--itbench-attempts=6")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["spent: *requests, 1200 tokens, at most *, * refused as too many"])


def test_a_spent_budget_leaves_the_rest_unrun(run: Run, endpoint: Endpoint, pytester: pytest.Pytester) -> None:
    """The remaining attempts are invalid and not run, never missed; the next run asks for them alone."""
    budget = ("-n2", "--itbench-attempts=4", "--itbench-concurrency=1")
    result = run(*budget, "--itbench-budget=300-tokens")
    result.assert_outcomes(passed=3, errors=5)
    lines = (pytester.path / "reports" / "r" / "outcomes.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert (kinds.count(None), kinds.count("not run")) == (3, 5)
    assert endpoint.seen == 3
    run(*budget, "--itbench-run=s").assert_outcomes(passed=8)
    assert endpoint.seen == 8


def test_money_is_counted(run: Run) -> None:
    """The price that the user names makes tokens into dollars, for the budget too."""
    result = run("--itbench-price=m=5000/5000", "--itbench-budget=1usd", "--itbench-attempts=2")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["2 invalid: not run: the budget of 1 US dollars is spent", "spent: *, $1.00"])
