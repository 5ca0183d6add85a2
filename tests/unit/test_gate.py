"""One limit and one budget for all who ask, and another try where it may help."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_itbench.domain.budget import Budget
from pytest_itbench.domain.candidate import Prompt, Reply, Request
from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.outcome import Usage
from pytest_itbench.environments.routing import Admissions, ForOne, Providers
from pytest_itbench.errors import BudgetSpent, ProviderTrouble
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models import gated
from pytest_itbench.models.dispatcher import Dispatcher
from pytest_itbench.models.gate import Gate
from pytest_itbench.models.gated import Gated
from pytest_itbench.option_values import read_budget, read_price
from pytest_itbench.sharing import reach_shared, serve_shared
from pytest_itbench.testing.conformance import make_options


@pytest.fixture
def question(make_scenario: Callable[..., object]) -> Request:
    """Some request."""
    scenario = load_scenario(make_scenario() / "scenario.yaml")  # type: ignore[operator]  # a path
    return Request(scenario=scenario, index=0, prompt=Prompt(system="", user=""))


class Model:
    """Answers with what it was given, in order: replies or troubles."""

    def __init__(self, answers: Sequence[Reply | ProviderTrouble]) -> None:
        self.answers, self.asked = list(answers), 0

    def ask(self, request: Request) -> Reply:
        """The next answer."""
        del request
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, ProviderTrouble):
            raise answer
        return answer


REPLY = Reply(text="x", usage=Usage(requests=1, input_tokens=60, output_tokens=40, cost=0.5))


def test_no_more_than_the_limit_at_once() -> None:
    """A third one waits until one of two leaves."""
    gate, entered = Gate(2, Budget()), []
    for holder in ("a", "b"):
        assert gate.enter(holder) == ""
    thread = threading.Thread(target=lambda: entered.append(gate.enter("c")))
    thread.start()
    time.sleep(0.1)
    assert entered == []
    gate.leave("a", limited=False, tokens=0, dollars=0.0)
    thread.join(5)
    assert entered == [""]
    assert gate.report()["peak"] == 2


def test_refusals_halve_what_is_allowed() -> None:
    """Additive increase, multiplicative decrease, never below one, never above the limit."""
    gate = Gate(4, Budget())

    def count() -> int:
        entered = 0
        while sum(gate._places.values()) < max(1, gate._allowed // 1):
            gate.enter("x")
            entered += 1
        for _ in range(entered):
            gate._places["x"] -= 1
        return entered

    assert count() == 4
    for expected in (2, 1, 1):
        gate.leave("x", limited=True, tokens=0, dollars=0.0)
        assert count() == expected
    for _ in range(20):
        gate.leave("x", limited=False, tokens=0, dollars=0.0)
    assert count() == 4


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(requests=1), "the budget of 1 requests is spent"),
        (Budget(tokens=100), "the budget of 100 tokens is spent"),
        (Budget(dollars=0.5), "the budget of 0.5 US dollars is spent"),
    ],
)
def test_a_budget_ends(question: Request, budget: Budget, said: str) -> None:
    """Once it is spent, nobody is asked any more, and the attempt says why."""
    model = Model([REPLY, REPLY])
    asked = Gated(model, Gate(2, budget), "w", retries=0)
    assert asked.ask(question).text == "x"
    with pytest.raises(BudgetSpent, match=said) as caught:
        asked.ask(question)
    assert (model.asked, caught.value.kind) == (1, "not run")


def test_time_ends_also_for_those_who_wait() -> None:
    """Who waits for a place is told when the time is over."""
    gate = Gate(1, Budget(seconds=0.2))
    assert gate.enter("a") == ""
    assert gate.enter("b") == "the budget of 0.2 seconds is spent"


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gated, "_BACKOFF", lambda _: 0.0)


@pytest.mark.usefixtures("_no_waiting")
def test_what_may_pass_is_tried_again(question: Request) -> None:
    """A busy provider is asked again, each time through the gate; a refusal for being too many is counted."""
    gate = Gate(4, Budget())
    model = Model(
        [ProviderTrouble("busy", temporary=True), ProviderTrouble("many", limited=True, retry_after=0), REPLY]
    )
    assert Gated(model, gate, "w", retries=2).ask(question) is REPLY
    assert gate.report() == {"requests": 3, "tokens": 100, "dollars": 0.5, "limited": 1, "peak": 1}


@pytest.mark.usefixtures("_no_waiting")
def test_tries_are_bounded(question: Request) -> None:
    """What still fails keeps the provider's message; what cannot pass is not tried again."""
    model = Model([ProviderTrouble(f"busy {n}", temporary=True) for n in range(9)])
    with pytest.raises(ProviderTrouble, match="busy 2"):
        Gated(model, Gate(1, Budget()), "w", retries=2).ask(question)
    model = Model([ProviderTrouble("bad key")] * 2)
    with pytest.raises(ProviderTrouble, match="bad key"):
        Gated(model, Gate(1, Budget()), "w", retries=2).ask(question)
    assert model.asked == 1


def test_other_processes_share_the_gate() -> None:
    """Over the socket, the same places are taken and given back, and room for machines is leased."""
    gate = Gate(1, Budget(requests=2))
    admissions = Admissions(Providers(make_options(Path()), "fake"))
    with serve_shared(admissions, gate, Dispatcher(1)) as address:
        near, far = reach_shared(address).gate, reach_shared(address).gate
        assert near.enter("w1") == ""
        near.leave("w1", False, 5, 0.25)  # noqa: FBT003  # as it crosses the socket
        assert far.enter("w2") == ""
        assert near.enter("w1") == "the budget of 2 requests is spent"
        lease = ForOne(reach_shared(address).admissions, "fake").enter("w1", Load(memory=1))
        assert (lease.place, admissions.peak) == ("fake", 1)
    assert gate.report()["tokens"] == 5


def test_a_dead_worker_gives_its_places_back() -> None:
    """The places of a process that died are free again."""
    gate = Gate(1, Budget())
    gate.enter("gw0")
    gate.forget("gw0")
    assert gate.enter("gw1") == ""


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("5usd", ("dollars", 5.0)),
        ("0.5usd", ("dollars", 0.5)),
        ("2M-tokens", ("tokens", 2_000_000)),
        ("300k-tokens", ("tokens", 300_000)),
        ("300-requests", ("requests", 300)),
        ("1-request", ("requests", 1)),
        ("30min", ("seconds", 1800.0)),
        ("1.5h", ("seconds", 5400.0)),
        ("90s", ("seconds", 90.0)),
    ],
)
def test_amounts_are_read(text: str, read: tuple[str, float]) -> None:
    """Money, tokens, requests and time, as people write them."""
    assert read_budget(text) == read


@given(st.text(max_size=20))
def test_nonsense_is_refused(text: str) -> None:
    """Every text is an amount or a ValueError, never another error."""
    for read in (read_budget, read_price):
        try:
            field, _ = read(text)
        except ValueError:
            continue
        assert field


def test_a_failed_request_says_nothing_about_cost() -> None:
    """The next ones are still sent one by one until it is known what they cost."""
    gate = Gate(8, Budget(dollars=1.0))
    assert gate.enter("a") == ""
    gate.leave("a", limited=False, tokens=0, dollars=0.0, answered=False)
    assert gate.enter("a") == ""
    entered: list[str] = []
    thread = threading.Thread(target=lambda: entered.append(gate.enter("b")))
    thread.start()
    time.sleep(0.1)
    assert entered == []
    gate.leave("a", limited=False, tokens=10, dollars=0.9)
    thread.join(5)
    assert entered == [""]


def test_who_died_while_waiting_takes_no_place() -> None:
    """Its turn is somebody else's."""
    gate, entered = Gate(1, Budget()), []
    assert gate.enter("a") == ""
    thread = threading.Thread(target=lambda: entered.append(gate.enter("dead")))
    thread.start()
    time.sleep(0.1)
    gate.forget("dead")
    thread.join(5)
    gate.leave("a", limited=False, tokens=0, dollars=0.0)
    assert entered != [""]
    assert gate.enter("b") == ""
