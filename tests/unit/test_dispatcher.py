"""Requests that are sent ahead of need: which, in what order, how many at once, and what becomes of failures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from pytest_itbench.domain.outcome import AttemptKey
from pytest_itbench.errors import ProviderTrouble
from pytest_itbench.models.dispatcher import Dispatcher, Planned


class Provider:
    """Notes what is asked and how much at once; holds answers back until `open` is set."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.now = self.peak = 0
        self.open = threading.Event()
        self.open.set()
        self.lock = threading.Lock()
        self.trouble: ProviderTrouble | None = None

    def ask(self, scenario: str, index: int) -> None:
        """Answer one request."""
        with self.lock:
            self.asked.append((scenario, index))
            self.now += 1
            self.peak = max(self.peak, self.now)
        self.open.wait(5)
        with self.lock:
            self.now -= 1
        if self.trouble:
            raise self.trouble

    def plan(self, scenario: str, index: int, *, group: str = "", at_once: int = 99, model: str = "m") -> Planned:
        """One planned request."""
        return Planned(
            key=AttemptKey(scenario=scenario, model=model, index=index),
            group=group,
            at_once=at_once,
            identify=lambda: f"{scenario}{index}",
            ask=lambda: self.ask(scenario, index),
        )


@pytest.fixture
def provider() -> Provider:
    """What is asked."""
    return Provider()


Make = Callable[..., Dispatcher]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes dispatchers and ends them."""
    made: list[Dispatcher] = []

    def make(limit: int, *planned: Planned) -> Dispatcher:
        made.append(Dispatcher(limit))
        made[-1].plan(planned)
        return made[-1]

    yield make
    for dispatcher in made:
        dispatcher.close()


def fetch(dispatcher: Dispatcher, scenario: str, index: int) -> bool:
    """As a worker does."""
    return dispatcher.fetch(scenario, "m", index, f"{scenario}{index}")


def test_the_first_need_sends_the_scenario_and_what_follows(make: Make, provider: Provider) -> None:
    """What is needed first, then the scenario's other attempts, then as many others as the limit says; each once."""
    dispatcher = make(1, *(provider.plan(scenario, index) for scenario in "abcd" for index in range(2)))
    assert fetch(dispatcher, "b", 0)
    assert fetch(dispatcher, "b", 1)
    assert fetch(dispatcher, "c", 0)
    assert provider.asked[:3] == [("b", 0), ("b", 1), ("c", 0)]
    assert fetch(dispatcher, "a", 0)
    assert len(provider.asked) == len(set(provider.asked))


def test_all_are_under_way_at_once(make: Make, provider: Provider) -> None:
    """One who needs a reply is enough to keep the provider busy up to the limit."""
    provider.open.clear()
    dispatcher = make(4, *(provider.plan("a", index) for index in range(9)))
    waiting = threading.Thread(target=fetch, args=(dispatcher, "a", 0))
    waiting.start()
    deadline = threading.Event()
    while provider.now < 4:
        assert not deadline.wait(0.01)
    provider.open.set()
    waiting.join(5)
    assert all(fetch(dispatcher, "a", index) for index in range(9))
    assert (provider.peak, len(provider.asked)) == (4, 9)


def test_a_model_may_take_fewer(make: Make, provider: Provider) -> None:
    """A server that answers one after the other is asked so."""
    dispatcher = make(4, *(provider.plan("a", index, at_once=1) for index in range(5)))
    assert all(fetch(dispatcher, "a", index) for index in range(5))
    assert provider.peak == 1


def test_what_was_not_planned_is_not_asked(make: Make, provider: Provider) -> None:
    """Another prompt, another attempt: whoever needs it asks for it."""
    dispatcher = make(4, provider.plan("a", 0), provider.plan("a", 1))
    assert not dispatcher.fetch("a", "m", 0, "another prompt")
    assert not fetch(dispatcher, "a", 7)
    assert provider.asked == []


def test_other_fixtures_are_not_guessed_at(make: Make, provider: Provider) -> None:
    """Nothing is sent ahead where a conftest of its own may replace the solver."""
    dispatcher = make(4, provider.plan("a", 0), provider.plan("b", 0, group="own"), provider.plan("a", 0, model="n"))
    assert fetch(dispatcher, "a", 0)
    dispatcher.close()
    assert provider.asked == [("a", 0)]


def test_a_failure_reaches_whoever_needs_the_reply(make: Make, provider: Provider) -> None:
    """Once for each request: it was tried again already."""
    provider.trouble = ProviderTrouble("no credit", hint="pay")
    dispatcher = make(2, provider.plan("a", 0), provider.plan("a", 1))
    for index in (0, 1, 0):
        with pytest.raises(ProviderTrouble, match="no credit"):
            fetch(dispatcher, "a", index)
    assert len(provider.asked) == 2


def test_nothing_is_sent_after_the_end(make: Make, provider: Provider) -> None:
    """What was not yet sent is dropped, what is under way is waited for."""
    provider.open.clear()
    dispatcher = make(1, *(provider.plan("a", index) for index in range(5)))
    waiting = threading.Thread(target=fetch, args=(dispatcher, "a", 0))
    waiting.start()
    while not provider.asked:
        threading.Event().wait(0.01)
    threading.Timer(0.1, provider.open.set).start()
    dispatcher.close()
    waiting.join(5)
    assert (provider.asked, provider.now) == ([("a", 0)], 0)
    assert not fetch(dispatcher, "a", 1)
