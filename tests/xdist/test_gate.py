"""All workers of a run share one limit and one budget."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_itbench.testing.chat import ChatEndpoint, serve_chat

OWN_SOLVER = """
import pytest
from dataclasses import replace
from pytest_itbench.solvers.single_shot import SingleShot

class Own(SingleShot):
    def propose(self, request):
        return super().propose(replace(request, prompt=replace(request.prompt, system="another prompt")))

@pytest.fixture
def itbench_solver(itbench_model):
    return Own(itbench_model)
"""
ANSWER = "```yaml\n- hosts: all\n# right\n```"


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    """An endpoint that takes its time, and says what solves the scenarios."""
    with serve_chat() as endpoint:
        endpoint.answer, endpoint.tokens, endpoint.delay = ANSWER, (60, 40), 0.1
        yield endpoint


Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(
    pytester: pytest.Pytester,
    make_scenario: Callable[..., Path],
    endpoint: ChatEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Asks the endpoint for attempts at two scenarios, on fake environments."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    for name in ("one", "two"):
        make_scenario(name, below=pytester.path / "scenarios")
    url = f"--itbench-base-url={endpoint.url}"

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(
            "scenarios", "--itbench-model=m=openai:m", url, "--itbench-run=r", *arguments
        )

    return run


def test_requests_stay_at_the_limit(run: Run, endpoint: ChatEndpoint) -> None:
    """Six workers, two requests at once: the limit is used and never passed."""
    result = run("-n6", "--itbench-concurrency=2", "--itbench-attempts=9")
    result.assert_outcomes(passed=18)
    assert (endpoint.peak, len(endpoint.seen)) == (2, 18)
    result.stdout.fnmatch_lines(["spent:    18 requests, 1800 tokens, at most 2 at once"])


def test_refusals_become_no_verdict(run: Run, endpoint: ChatEndpoint) -> None:
    """What was refused as too many is asked again until it is answered."""
    endpoint.refuse_every = 4
    result = run("-n3", "--itbench-attempts=6")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["spent: *requests, 1200 tokens, at most *, * refused as too many"])


def test_a_spent_budget_leaves_the_rest_unrun(run: Run, endpoint: ChatEndpoint, pytester: pytest.Pytester) -> None:
    """The remaining attempts are invalid and not run, never missed; the next run asks for them alone."""
    budget = ("-n2", "--itbench-attempts=4", "--itbench-concurrency=1")
    result = run(*budget, "--itbench-budget=300-tokens")
    result.assert_outcomes(passed=3, errors=5)
    lines = (pytester.path / "reports" / "r" / "outcomes.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert (kinds.count(None), kinds.count("not run")) == (3, 5)
    assert len(endpoint.seen) == 3
    run(*budget, "--itbench-run=s").assert_outcomes(passed=8)
    assert len(endpoint.seen) == 8


def test_money_is_counted(run: Run) -> None:
    """The price that the user names makes tokens into dollars, for the budget too."""
    result = run("--itbench-price=m=5000/5000", "--itbench-budget=1usd", "--itbench-attempts=2")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["2 invalid: not run: the budget of 1 US dollars is spent", "spent: *, $1.00"])


def test_one_worker_keeps_the_provider_busy(run: Run, endpoint: ChatEndpoint) -> None:
    """Requests are sent ahead of need: as many at once as allowed, however few workers there are."""
    run("-n1", "--itbench-concurrency=5", "--itbench-attempts=10").assert_outcomes(passed=20)
    assert (endpoint.peak, len(endpoint.seen)) == (5, 20)


def test_nothing_is_asked_for_what_is_skipped(
    run: Run, endpoint: ChatEndpoint, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scenario that cannot be tried here costs nothing."""
    monkeypatch.setenv("PYTEST_ITBENCH_KYVERNO", "/nowhere")
    with pytester.path.joinpath("scenarios", "two", "scenario.yaml").open("a") as file:
        file.write("needs: [kyverno]\n")
    run("-n1", "--itbench-concurrency=5", "--itbench-attempts=4").assert_outcomes(passed=4, skipped=4)
    assert len(endpoint.seen) == 4


def test_a_solver_of_ones_own_is_asked_alone(run: Run, endpoint: ChatEndpoint, pytester: pytest.Pytester) -> None:
    """Where a conftest replaces the solver, nothing is paid for but what it asks."""
    pytester.path.joinpath("scenarios", "two", "conftest.py").write_text(OWN_SOLVER)
    run("-n1", "--itbench-attempts=2").assert_outcomes(passed=4)
    systems = [body["messages"][0]["content"] for body in endpoint.seen]
    assert (len(systems), systems.count("another prompt")) == (4, 2)


def test_a_refused_key_is_no_verdict(run: Run, endpoint: ChatEndpoint) -> None:
    """What the provider says reaches the report from wherever it was asked."""
    endpoint.status = 401
    result = run("-n2", "--itbench-attempts=2")
    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines(["*provider: m gave no reply: *bad key*"])
    assert len(endpoint.seen) == 4
