"""What is removed of runs on a cluster, and what is not; with a cluster that is none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_itbench.domain.capacity import Load
from pytest_itbench.environments.base import ProviderOptions
from pytest_itbench.errors import EngineTrouble
from pytest_itbench.owner import describe_owner
from pytest_itbench.runner import Runner

pytest.importorskip("kubernetes", reason="not on this machine: the extra kubernetes")

from pytest_itbench.environments.kubernetes import lease, provider
from pytest_itbench.environments.kubernetes.api import Api, Refused
from pytest_itbench.environments.kubernetes.leftovers import OF_CLUSTER, is_owned_by, remove_left, remove_orphans
from pytest_itbench.environments.kubernetes.provider import KubernetesProvider

Object = dict[str, Any]
NAMESPACES = "/api/v1/namespaces"
BINDINGS, ROLES, WEBHOOKS = OF_CLUSTER
ME, DEAD = describe_owner(), f"{describe_owner()}0"  # no process has two starts
SOURCE, WORKSHOP, CONNECTION = "the cluster is left", "the engine is left", "the connection is dropped"


class Cluster:
    """Objects by address; notes what is asked of it, refuses what it is told to, and fails where it is told to."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.deleted: list[str] = []
        self.trouble: dict[str, Exception] = {}
        self.stuck: set[str] = set()
        self.then: dict[str, Callable[[], None]] = {}

    def add(self, root: str, name: str, lease: str, label: str = "attempt", owner: str = ME) -> str:
        """One more; gives its address."""
        labels = {"pytest-itbench": label, "pytest-itbench/lease": lease}
        metadata = {"name": name, "labels": labels, "annotations": {"pytest-itbench/owner": owner}}
        self.objects[f"{root}/{name}"] = {"metadata": metadata}
        return f"{root}/{name}"

    def get(self, root: str, **query: str) -> Object:
        """All at an address; what is to happen then happens after that."""
        del query
        if root in self.trouble:
            raise self.trouble[root]
        found = [each for path, each in self.objects.items() if path.rpartition("/")[0] == root]
        self.then.pop(root, lambda: None)()
        return {"items": found}

    def find(self, path: str) -> Object | None:
        """One of them."""
        return self.objects.get(path)

    def delete(self, path: str, body: Object | None = None) -> None:
        """Note it, and do it unless that is refused or takes time."""
        del body
        if path in self.trouble:
            raise self.trouble[path]
        self.deleted.append(path)
        if path not in self.stuck:
            self.objects.pop(path, None)

    @property
    def api(self) -> Api:
        """This, as what it stands for."""
        return cast("Api", self)

    def find_namespaces(self) -> list[Object]:
        """All of them."""
        return list(self.get(NAMESPACES)["items"])


@pytest.fixture
def cluster() -> Cluster:
    """A cluster with nothing on it."""
    return Cluster()


REFUSED, AWAY = Refused(403, "Forbidden", "no"), EngineTrouble("it does not answer")


# Leases


def test_what_is_in_no_namespace_goes_first(cluster: Cluster) -> None:
    """Whoever is killed in between leaves namespaces, by which a sweep finds the rest."""
    lease.release_lease(cluster.api, ["l-a", "l-b"], "l")
    assert cluster.deleted == [
        f"{BINDINGS}/l",
        f"{ROLES}/l",
        f"{NAMESPACES}/l-a",
        f"{NAMESPACES}/l-b",
        f"{NAMESPACES}/l-a/pods",
        f"{NAMESPACES}/l-b/pods",
    ]


@pytest.mark.parametrize("trouble", [REFUSED, AWAY])
@pytest.mark.parametrize("path", [f"{BINDINGS}/l", f"{NAMESPACES}/l-a", f"{NAMESPACES}/l-b/pods"])
def test_what_cannot_be_removed_keeps_nothing_else(cluster: Cluster, path: str, trouble: Exception) -> None:
    """All but that is removed."""
    lease.release_lease(cluster.api, ["l-a", "l-b"], "l")
    every, cluster.deleted = cluster.deleted, []
    cluster.trouble[path] = trouble
    lease.release_lease(cluster.api, ["l-a", "l-b"], "l")
    assert cluster.deleted == [each for each in every if each != path]


def test_a_silent_cluster_is_not_asked_for_ever(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question may take its time; together they have as much as namespaces have to go."""
    monkeypatch.setattr(lease, "GONE_WITHIN", 0.0)
    lease.release_lease(cluster.api, ["l-a"], "l")
    assert cluster.deleted == []


# Sweeps


@pytest.mark.parametrize("trouble", [REFUSED, AWAY])
def test_a_guard_that_cannot_be_stopped_stays(
    cluster: Cluster, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes on answering, the next sweep finds it, and all else is removed."""
    guard = cluster.add(NAMESPACES, "g-guard", "g-guard", "guard")
    cluster.trouble[f"{WEBHOOKS}/g-guard"] = trouble
    for name in ("a", "b"):
        cluster.add(NAMESPACES, name, name)
    foreign = cluster.add(NAMESPACES, "c", "c", owner="else/1/1")
    assert remove_left(cluster.api, cluster.find_namespaces(), is_owned_by(ME)) == ["a", "b"]
    assert list(cluster.objects) == [guard, foreign]
    assert "guard g-guard is left for the next sweep" in caplog.text
    cluster.trouble.clear()
    assert remove_left(cluster.api, cluster.find_namespaces(), is_owned_by(ME)) == ["g-guard"]
    assert cluster.deleted.index(f"{WEBHOOKS}/g-guard") < cluster.deleted.index(guard)


def test_what_is_still_there_is_not_called_removed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's finalizer may hold a namespace."""
    monkeypatch.setattr(lease.await_gone, "__defaults__", (0.1,))
    cluster.stuck = {cluster.add(NAMESPACES, "held", "l")}
    cluster.add(NAMESPACES, "free", "l")
    assert remove_left(cluster.api, cluster.find_namespaces(), is_owned_by(ME)) == ["free"]
    assert "namespaces are still there: held" in caplog.text


def test_rights_and_webhooks_without_namespaces_are_removed(cluster: Cluster) -> None:
    """Whoever made them was killed when their namespaces were gone; those of other leases stay."""
    for name in ("stray", "living", "kept"):
        cluster.add(BINDINGS, name, name)
        cluster.add(ROLES, name, name)
    cluster.add(WEBHOOKS, "g-guard", "g-guard")
    cluster.add(NAMESPACES, "living-a", "living", owner="else/1/1")
    cluster.add(NAMESPACES, "kept-a", "kept", "kept", owner="")
    cluster.add(NAMESPACES, "dead-a", "dead", owner=DEAD)
    assert remove_orphans(cluster.api, cluster.find_namespaces()) == ["stray", "g-guard", "dead-a"]
    left = [path.rpartition("/")[2] for path in cluster.objects]
    assert left == ["living", "living", "kept", "kept", "living-a", "kept-a"]
    assert remove_orphans(cluster.api, cluster.find_namespaces()) == []


@pytest.mark.parametrize("root", [*OF_CLUSTER, NAMESPACES])
def test_a_lease_in_the_making_is_spared(cluster: Cluster, root: str) -> None:
    """Whenever it is made: namespaces come first, and are looked at last."""

    def make() -> None:
        cluster.add(NAMESPACES, "new-a", "new")
        for place in OF_CLUSTER:
            cluster.add(place, "new", "new")

    cluster.add(ROLES, "stray", "stray")
    namespaces = cluster.find_namespaces()
    cluster.then[root] = make
    assert remove_orphans(cluster.api, namespaces) == ["stray"]
    assert len(cluster.objects) == 4


@pytest.mark.parametrize("root", OF_CLUSTER)
def test_a_sweep_passes_over_what_it_may_not_see(cluster: Cluster, root: str) -> None:
    """A user without that right has none of it."""
    cluster.trouble[root] = REFUSED
    for place in OF_CLUSTER:
        cluster.add(place, "stray", "stray")
    cluster.add(NAMESPACES, "dead-a", "dead", owner=DEAD)
    assert remove_orphans(cluster.api, cluster.find_namespaces()) == ["stray", "dead-a"]
    assert list(cluster.objects) == [f"{root}/stray"]


def test_a_stray_that_cannot_be_removed_is_not_called_removed(cluster: Cluster) -> None:
    """The others of its lease are removed all the same."""
    role = cluster.add(ROLES, "stray", "stray")
    cluster.add(BINDINGS, "stray", "stray")
    cluster.trouble[role] = REFUSED
    assert remove_orphans(cluster.api, []) == []
    assert list(cluster.objects) == [role]


# The end of a run


class Used:
    """A place that notes what is done with it."""

    def __init__(self, cluster: Cluster, kubeconfig: Path) -> None:
        self.done: list[str] = []
        self.cluster, self.owner, self.run = cluster, ME, "run"
        self.api = SimpleNamespace(close=lambda: self.done.append(CONNECTION))
        self.workshop = SimpleNamespace(close=lambda: self.done.append(WORKSHOP), sweep=self._sweep)
        self.source = SimpleNamespace(
            name="here",
            kubeconfig=kubeconfig,
            ensure=lambda: self.done.append("made"),
            close=lambda: self.done.append(SOURCE),
        )
        self.images = SimpleNamespace(
            control_image=lambda: self.done.append("delivered"), forget_missing=lambda told: "ErrImagePull" in told
        )

    def _sweep(self, find: object) -> list[str]:
        del find
        self.done.append("engine swept")
        return []

    def await_releases(self) -> None:
        """There are none."""

    def find_namespaces(self) -> Iterable[Object]:
        """As the cluster answers."""
        return self.cluster.find_namespaces()

    def find_capacity(self) -> Load:
        """Some."""
        return Load(memory=1)


@pytest.fixture
def place(cluster: Cluster, tmp_path: Path) -> Used:
    """The place of `made`."""
    (tmp_path / "kubeconfig").touch()
    return Used(cluster, tmp_path / "kubeconfig")


@pytest.fixture
def made(place: Used, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> KubernetesProvider:
    """A provider whose guards are names."""
    monkeypatch.setattr(provider, "start_guard", lambda *_: "guard")
    monkeypatch.setattr(provider, "remove_orphans", lambda *_: [])
    made = KubernetesProvider(ProviderOptions(cache=tmp_path, owner=ME))
    vars(made)["place"] = place
    return made


def test_a_cluster_that_does_not_answer_ends_no_run(
    made: KubernetesProvider, place: Used, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told; everything else is done, and nothing a second time."""
    made.find_places()
    cluster.trouble[NAMESPACES] = AWAY
    place.done.clear()
    made.close()
    assert place.done == ["engine swept", SOURCE, WORKSHOP, CONNECTION]
    assert "left on cluster here: it does not answer" in caplog.text
    place.done.clear()
    made.close()
    assert place.done == [WORKSHOP, CONNECTION]


def test_who_made_a_cluster_removes_it(made: KubernetesProvider, place: Used) -> None:
    """Once, whatever it was made for; a process that only used it leaves it."""
    made.close()
    assert SOURCE not in place.done
    list(made.prepare([]))
    made.find_places()
    assert place.done.count("made") == 1
    made.close()
    made.close()
    assert place.done.count(SOURCE) == 1


def test_a_guard_without_its_image_is_started_again(
    made: KubernetesProvider, place: Used, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, with the image delivered anew; what the first try left is removed."""
    removed, tries = list[bool](), [EngineTrouble("guard: ErrImagePull"), EngineTrouble("guard: ErrImagePull")]

    def start(*given: object) -> str:
        if tries:
            raise tries.pop()
        return "guard"

    def remove(api: Api, namespaces: Iterable[Object], wanted: Callable[[Object], bool]) -> list[str]:
        removed.extend(map(wanted, namespaces))
        return []

    monkeypatch.setattr(provider, "start_guard", start)
    monkeypatch.setattr(provider, "remove_left", remove)
    cluster.add(NAMESPACES, "first", "first", "guard")
    cluster.add(NAMESPACES, "attempt", "attempt")
    cluster.add(NAMESPACES, "foreign", "foreign", "guard", owner="else/1/1")
    with pytest.raises(EngineTrouble, match="ErrImagePull"):
        made.find_places()
    tries.append(EngineTrouble("guard: ErrImagePull"))
    place.done.clear()
    made.find_places()
    assert (removed, place.done.count("delivered")) == ([True, False, False] * 2, 2)
    tries.append(EngineTrouble("guard: no room"))
    made.close()
    with pytest.raises(EngineTrouble, match="no room"):
        made.find_places()


def test_trouble_at_the_end_is_no_error_of_the_session(caplog: pytest.LogCaptureFixture) -> None:
    """The summary is still printed; pytest itself would end with a traceback."""

    def close() -> None:
        raise AWAY

    runner = Runner(cast("pytest.Config", SimpleNamespace()), cast("Any", SimpleNamespace(run="run")))
    vars(runner)["providers"] = SimpleNamespace(close=close)
    with caplog.at_level(logging.WARNING):
        runner.pytest_sessionfinish()
    assert "left behind by run run: it does not answer" in caplog.text
