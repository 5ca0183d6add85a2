"""Which provider a scenario's environments come from, and who may start some: a queue for each provider."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments import routing
from pytest_itbench.environments.admission import Lease, leased
from pytest_itbench.environments.bare import BareProvider
from pytest_itbench.environments.base import EnvironmentProvider, Ground, ProviderOptions
from pytest_itbench.environments.routing import Admissions, ForOne, Providers
from pytest_itbench.loading.scenario import load_scenario

ONE = Load(memory=1, share=0.001)
ALONE = Load(memory=1, share=1.0)


class Rooms:
    """A provider with one place of fixed size."""

    def __init__(self, memory: float) -> None:
        self.memory = memory

    def find_places(self) -> Mapping[str, Load]:
        """One."""
        return {"here": Load(memory=self.memory, share=1.0)}

    def find_foreign_load(self, place: str) -> Load:
        """Nobody."""
        del place
        return Load()


class Some(Providers):
    """Providers with so much room each."""

    def __init__(self, **rooms: float) -> None:
        super().__init__(ProviderOptions(cache=Path()), "docker")
        self.rooms = {name: Rooms(memory) for name, memory in rooms.items()}

    def get(self, name: str) -> EnvironmentProvider:
        """One of them."""
        return cast("EnvironmentProvider", self.rooms[name])


def enter_later(admission: ForOne, load: Load, holder: str = "w") -> tuple[threading.Thread, list[Lease]]:
    """Ask for room in a thread."""
    got: list[Lease] = []
    thread = threading.Thread(target=lambda: got.append(admission.enter(holder, load)), daemon=True)
    thread.start()
    time.sleep(0.1)
    return thread, got


def test_a_full_cluster_does_not_hold_up_hosts() -> None:
    """Each provider has a queue of its own, and its own numbers."""
    admissions = Admissions(Some(docker=1, kubernetes=1))
    hosts, cluster = ForOne(admissions, "docker"), ForOne(admissions, "kubernetes")
    first = cluster.enter("w", ONE)
    thread, waiting = enter_later(cluster, ONE)
    other = hosts.enter("w", ONE)
    assert (other.place, waiting) == ("here", [])
    hosts.leave(other.number)
    assert waiting == []
    cluster.leave(first.number)
    thread.join(5)
    assert [lease.place for lease in waiting] == ["here"]
    assert admissions.peak == 1


def test_a_dead_worker_holds_nothing_anywhere() -> None:
    """Neither with the providers that it used, nor with one that is first used after its end."""
    admissions = Admissions(Some(docker=1, kubernetes=1))
    hosts = ForOne(admissions, "docker")
    hosts.enter("dead", ONE)
    thread, got = enter_later(hosts, ONE)
    admissions.forget("dead")
    thread.join(5)
    assert [lease.place for lease in got] == ["here"]
    late = ForOne(admissions, "kubernetes").enter("dead", ONE)
    assert (late.place, late.problem) == ("", "the process that asked is gone")


def test_who_must_be_alone_is_alone() -> None:
    """However much room there is, it waits for the others, and they for it."""
    cluster = ForOne(Admissions(Some(kubernetes=1000)), "kubernetes")
    first, second = cluster.enter("w", ONE), cluster.enter("w", ONE)
    alone, got_alone = enter_later(cluster, ALONE)
    after, got_after = enter_later(cluster, ONE)
    cluster.leave(first.number)
    time.sleep(0.1)
    assert (got_alone, got_after) == ([], [])
    cluster.leave(second.number)
    alone.join(5)
    time.sleep(0.1)
    assert [lease.place for lease in got_alone] == ["here"]
    assert got_after == []
    cluster.leave(got_alone[0].number)
    after.join(5)
    assert [lease.place for lease in got_after] == ["here"]


@pytest.fixture
def scenarios(tmp_path: Path) -> dict[str, Scenario]:
    """One for each provider."""
    found = {}
    places = {"playbook": "hosts: {web: {}}", "script": "cluster: {namespaces: {shop: {}}}", "answer": ""}
    parts = {"playbook": "playbook.yml", "script": "script.sh", "answer": "answer.json"}
    for kind, place in places.items():
        directory = tmp_path / kind
        (directory / "solution").mkdir(parents=True)
        (directory / "solution" / parts[kind]).write_text("x")
        (directory / "scenario.yaml").write_text(
            f"title: x\ndomain: sre\ndifficulty: easy\ncandidate: {kind}\n{place}\n"
        )
        blocks = "".join(f"{{% block level_{n} %}}x{{% endblock %}}" for n in (1, 2, 3))
        (directory / "prompt.md.j2").write_text(blocks)
        (directory / "validate.py").write_text("def check_it(): pass\n")
        found[kind] = load_scenario(directory / "scenario.yaml")
    return found


def test_a_scenario_finds_its_provider(scenarios: dict[str, Scenario]) -> None:
    """Hosts come from the one that the user chose, clusters from Kubernetes, and data needs none."""
    providers = Providers(ProviderOptions(cache=Path()), "fake")
    assert {kind: providers.name(scenario) for kind, scenario in scenarios.items()} == {
        "playbook": "fake",
        "script": "kubernetes",
        "answer": "bare",
    }
    assert isinstance(providers.of(scenarios["answer"]), BareProvider)
    assert providers.of(scenarios["answer"]) is providers.get("bare")


@pytest.mark.parametrize(("problem", "usable"), [("no cluster", ["fake"]), ("", ["fake", "kubernetes"])])
def test_what_cannot_be_tried_is_told(
    scenarios: dict[str, Scenario], monkeypatch: pytest.MonkeyPatch, problem: str, usable: list[str]
) -> None:
    """A scenario with a cluster where there is none; all others can be tried, and are prepared."""
    monkeypatch.setattr(routing, "find_cluster_problem", lambda options: problem if options else "")
    asked: list[str] = []

    class Noting(Providers):
        """Notes which providers are used."""

        def get(self, name: str) -> EnvironmentProvider:
            asked.append(name)
            return BareProvider(ProviderOptions(cache=Path()))

    providers = Noting(ProviderOptions(cache=Path()), "fake")
    missing = {kind: providers.find_missing(scenario) for kind, scenario in scenarios.items()}
    assert missing == {"playbook": "", "script": problem, "answer": ""}
    assert list(providers.prepare(scenarios.values())) == []
    assert sorted(asked) == sorted([*usable, "bare"])
    asked.clear()
    providers.find_usable()
    assert asked == usable


def test_data_needs_no_machine(scenarios: dict[str, Scenario]) -> None:
    """The bare environment has room for everybody, applies anything, and leaves nothing."""
    provider = BareProvider(ProviderOptions(cache=Path()))
    admission = ForOne(Admissions(cast("Providers", OnlyBare(provider))), "bare")
    load = provider.measure(scenarios["answer"])
    with leased(admission, "w", load) as place, leased(admission, "w", load):
        environment = provider.create(scenarios["answer"], Ground.of_nothing("me"), place)
        environment.start()
        environment.prepare()
        with environment.connect() as hosts:
            assert hosts == {}
        assert environment.apply("{}").status == 0
        environment.end_candidate()
        environment.stop()
    assert [*provider.sweep("me"), *provider.sweep_orphans(), *provider.sweep_kept()] == []


class OnlyBare:
    """What an admission asks of providers."""

    def __init__(self, provider: BareProvider) -> None:
        self._provider = provider

    def get(self, name: str) -> Any:
        """The same for every name."""
        del name
        return self._provider
