"""Which cluster it is and how images get there, with a ``kind`` that is none and a k3s that is not started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.environments.base import ProviderOptions
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.kubernetes import absence
from pytest_itbench.errors import EngineTrouble, OptionMistake
from pytest_itbench.owner import describe_owner, is_gone

pytest.importorskip("kubernetes", reason="not on this machine: the extra kubernetes")

from pytest_itbench.environments.kubernetes import sources
from pytest_itbench.environments.kubernetes.images import LEAVE_THERE, ClusterImages, Delivery
from pytest_itbench.environments.kubernetes.sources import find_source

KIND = f"""#!{sys.executable}
import pathlib, sys
place = pathlib.Path(__file__).parent
with (place / "calls").open("a") as file:
    file.write(" ".join(sys.argv[1:3]) + "\\n")
names = (place / "names").read_text().split() if (place / "names").exists() else []
if (place / "broken").exists():
    sys.exit("no engine: " + (place / "broken").read_text())
if sys.argv[1:3] == ["get", "clusters"]:
    print("\\n".join(names))
if sys.argv[1:3] == ["create", "cluster"]:
    (place / "names").write_text(" ".join([*names, sys.argv[4]]))
if sys.argv[1:3] == ["get", "kubeconfig"]:
    print("config of " + sys.argv[4])
"""
KUBECONFIG = "contexts: [{name: here}, {name: stage}, {name: kind-x}]\ncurrent-context: here\n"
LAB = "contexts: [{name: kind-lab}]\ncurrent-context: kind-lab\n"
FLAWED = {"broken": "a: [", "another": "services: {}", "unchosen": "contexts: [{name: here}]"}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it yet."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", str(place))
    return place


@pytest.fixture
def kind(path: Path) -> Path:
    """A ``kind`` that keeps clusters in a file; gives its directory."""
    (path / "kind").write_text(KIND)
    (path / "kind").chmod(0o755)
    return path


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., ProviderOptions]:
    """Options; a kubeconfig called ``here`` is there."""
    (tmp_path / "here").write_text(KUBECONFIG)
    for name, text in {**FLAWED, "lab": LAB}.items():
        (tmp_path / name).write_text(text)

    def make(**given: str) -> ProviderOptions:
        if "kubeconfig" in given:
            given["kubeconfig"] = str(tmp_path / given["kubeconfig"])
        return ProviderOptions(cache=tmp_path / "cache", owner="me", **given)  # type: ignore[arg-type]

    return make


@pytest.mark.parametrize(
    ("given", "on_path", "problem"),
    [
        ({}, False, "no cluster is named (--itbench-kubeconfig, --itbench-cluster) and kind is not on the PATH"),
        ({}, True, ""),
        ({"cluster": "kind"}, False, "kind is not on the PATH"),
        ({"cluster": "kind:mine"}, True, ""),
        ({"cluster": "k3s"}, False, ""),
        ({"kubeconfig": "here"}, False, ""),
        ({"kubeconfig": "here", "context": "stage"}, False, ""),
        ({"kubeconfig": "gone"}, True, "kubeconfig * cannot be read: No such file or directory"),
        ({"kubeconfig": "here", "context": "lab"}, False, "kubeconfig * has no context 'lab', but here, stage, kind-x"),
        ({"kubeconfig": "broken"}, False, "kubeconfig * line 1, column 5: a: [ ^"),
        ({"kubeconfig": "another"}, False, "* is no kubeconfig: it has no list of contexts"),
        ({"kubeconfig": "unchosen"}, False, "kubeconfig * has no current context: name one of here"),
        ({"kubeconfig": "here", "cluster": "kind"}, False, ""),
    ],
)
def test_absence_has_a_reason(
    path: Path, make: Callable[..., ProviderOptions], given: dict[str, str], problem: str, *, on_path: bool
) -> None:
    """Told without asking a cluster; empty when there is one."""
    if on_path:
        (path / "kind").write_text(KIND)
        (path / "kind").chmod(0o755)
    found = absence.find_problem(make(**given))
    assert fnmatch(found, problem.replace("[", "[[]"))


@pytest.mark.parametrize(
    ("module", "cluster", "extra"), [("kubernetes", "kind", "kubernetes"), ("testcontainers", "k3s", "k3s")]
)
def test_a_library_that_is_missing_is_told(
    kind: Path,
    make: Callable[..., ProviderOptions],
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    cluster: str,
    extra: str,
) -> None:
    """With the extra that brings it."""
    del kind
    monkeypatch.setattr(absence, "find_spec", lambda name: None if name == module else object())
    assert f"pip install 'pytest-itbench[{extra}]'" in absence.find_problem(make(cluster=cluster))


@pytest.mark.parametrize("cluster", ["minikube", "kinder", "K3s"])
def test_a_kind_that_is_not_known_is_refused(path: Path, make: Callable[..., ProviderOptions], cluster: str) -> None:
    """Whoever names a cluster that nobody can make is told so."""
    del path
    with pytest.raises(OptionMistake, match="neither kind, kind:NAME nor k3s"):
        absence.choose_kind(make(cluster=cluster))


@pytest.mark.parametrize(
    ("given", "name", "who"),
    [
        ({}, "kind-itbench", "kind"),
        ({"cluster": "kind"}, "kind-itbench", "kind"),
        ({"cluster": "kind:mine"}, "kind-mine", "kind"),
        ({"kubeconfig": "here"}, "here", ""),
        ({"kubeconfig": "here", "context": "stage"}, "stage", ""),
        ({"kubeconfig": "here", "cluster": "kind:mine"}, "here", ""),
    ],
)
def test_options_name_a_cluster(
    kind: Path, make: Callable[..., ProviderOptions], given: dict[str, str], name: str, who: str
) -> None:
    """A kubeconfig goes before anything that would be made."""
    source = find_source(make(**given))
    assert (source.name, source.kind, source.context) == (name, who, given.get("context", ""))
    assert not (kind / "calls").exists()


def test_each_run_has_its_own_k3s(path: Path, make: Callable[..., ProviderOptions]) -> None:
    """Named after the process that started the run."""
    del path
    options = make(cluster="k3s")
    sources = [find_source(replace(options, owner=owner)) for owner in ("a", "b", "a")]
    assert sources[0].name == sources[2].name != sources[1].name
    assert {source.kind for source in sources} == {"k3s"}


def test_no_cluster_is_a_mistake(path: Path, make: Callable[..., ProviderOptions]) -> None:
    """Whoever asks for one all the same is told what to name."""
    del path
    with pytest.raises(OptionMistake, match="no cluster is named"):
        find_source(make())


def test_a_kind_cluster_is_made_once(kind: Path, make: Callable[..., ProviderOptions]) -> None:
    """It is made where it is not there, kept for the next run, and its kubeconfig is the user's alone."""
    sources = [find_source(make(cluster="kind:mine")) for _ in range(2)]
    for source in sources:
        source.ensure()
        source.close()
    assert (kind / "names").read_text().split() == ["mine"]
    assert (kind / "calls").read_text().split("\n").count("create cluster") == 1
    assert sources[0].kubeconfig.read_text() == "config of mine\n"
    assert sources[0].kubeconfig.stat().st_mode & 0o777 == 0o600


def test_a_kind_that_fails_says_why(kind: Path, make: Callable[..., ProviderOptions]) -> None:
    """In its own words."""
    (kind / "broken").write_text("daemon is away")
    with pytest.raises(EngineTrouble, match="kind get clusters failed: no engine: daemon is away"):
        find_source(make(cluster="kind")).ensure()


def test_a_cluster_that_is_named_is_left_alone(kind: Path, make: Callable[..., ProviderOptions]) -> None:
    """Nothing is made, and nothing is removed."""
    source = find_source(make(kubeconfig="here"))
    source.ensure()
    source.close()
    assert not (kind / "calls").exists()


# How images get there


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ({"cluster": "kind:mine"}, "kind mine"),
        ({"kubeconfig": "here"}, ""),
        ({"kubeconfig": "here", "context": "kind-x"}, "kind x"),
        ({"kubeconfig": "lab"}, "kind lab"),
        ({"kubeconfig": "lab", "registry": "lab:5000/"}, "registry lab:5000"),
    ],
)
def test_images_have_a_way(kind: Path, make: Callable[..., ProviderOptions], given: dict[str, str], way: str) -> None:
    """A kind cluster is known by the context that is used, be it named or the kubeconfig's current one."""
    del kind
    assert find_source(make(**given)).deliver.way == way


class Deliveries:
    """Notes what is delivered, and which way."""

    def __init__(self, cache: Path) -> None:
        self.cache, self.done = cache, list[str]()

    def take(self, way: str, image: str = "itbench/host:1") -> str:
        """As a new process does it."""
        return self.find(way).take(image)

    def find(self, way: str) -> ClusterImages:
        """The images of the cluster, delivered one way."""

        def deliver(engine: Engine, image: str) -> str:
            del engine
            self.done.append(f"{way} {image}")
            return f"{way}/{image}"

        return ClusterImages(self.cache, "uid", Delivery(way=way, deliver=deliver))


@pytest.fixture
def deliveries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deliveries:
    """To one cluster, from an engine that is never asked."""
    monkeypatch.setattr(Engine, "identity", "here")
    return Deliveries(tmp_path)


def test_an_image_is_delivered_once_each_way(deliveries: Deliveries) -> None:
    """What was loaded into the nodes is in no registry, and not in another one."""
    names = [deliveries.take(way) for way in ("kind", "lab", "kind", "lab", "home")]
    assert names[:2] == names[2:4] == ["kind/itbench/host:1", "lab/itbench/host:1"]
    assert deliveries.done == ["kind itbench/host:1", "lab itbench/host:1", "home itbench/host:1"]


def test_an_image_that_was_left_there_was_not_delivered(tmp_path: Path, deliveries: Deliveries) -> None:
    """Nobody knows whether the nodes have it, so that nothing is written down."""
    for _ in range(2):
        assert ClusterImages(tmp_path, "uid", LEAVE_THERE).take("itbench/host:1") == "itbench/host:1"
    assert not (tmp_path / "delivered").exists()
    assert deliveries.done == []


@pytest.mark.parametrize(
    ("told", "again"),
    [
        ('pod web: ErrImagePull: failed to pull and unpack image "kind/itbench/host:1": not found', True),
        ('pod web: ErrImageNeverPull: Container image "kind/itbench/host:1" is not present', True),
        ('web: ImagePullBackOff Back-off pulling image "nginx:1"', False),
        ('web: CrashLoopBackOff of image "kind/itbench/host:1"', False),
    ],
)
def test_an_image_that_a_node_lacks_is_delivered_again(deliveries: Deliveries, told: str, *, again: bool) -> None:
    """By every process, also one that took it before; others stay as they are."""
    first, second = deliveries.find("kind"), deliveries.find("kind")
    for images in (first, second):
        images.take("itbench/host:1")
        images.take("itbench/host:2")
    assert first.forget_missing(told) is again
    for image in ("itbench/host:1", "itbench/host:2"):
        second.take(image)
    assert deliveries.done == ["kind itbench/host:1", "kind itbench/host:2"] + ["kind itbench/host:1"] * again


# k3s


@pytest.fixture
def k3s(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """With what its containers are made; they run nowhere. Notes what is removed as well."""
    why = "not on this machine: the extra k3s"
    library = pytest.importorskip("testcontainers.community.k3s", reason=why).K3SContainer
    container = pytest.importorskip("testcontainers.core.container", reason=why)

    class Client:
        """An engine on this machine."""

        def get_connection_mode(self) -> object:
            """As Docker's own."""
            return container.ConnectionMode.docker_host

        def host(self) -> str:
            """This one."""
            return "localhost"

    noted: list[dict[str, Any]] = []
    monkeypatch.setattr(container, "DockerClient", Client)
    monkeypatch.setattr(library, "start", lambda self: noted.append({"name": self._name, **self._kwargs}))
    monkeypatch.setattr(library, "config_yaml", lambda _: "config of k3s\n")
    monkeypatch.setattr(sources, "find_left", lambda _, label: [label])
    monkeypatch.setattr(sources, "remove_all", lambda things: noted.append({"removed": things}))
    return noted


def test_k3s_is_privileged_and_belongs_to_the_run(
    k3s: list[dict[str, Any]], make: Callable[..., ProviderOptions]
) -> None:
    """Sweeps of what the owner's attempts left pass it over; it is gone when the owner is."""
    source = find_source(replace(make(cluster="k3s"), owner=describe_owner()))
    for _ in range(2):
        source.ensure()
    (made,) = k3s
    assert (made["name"], made["privileged"], made["labels"]["pytest-itbench"]) == (source.name, True, "cluster")
    assert source.kubeconfig.read_text() == "config of k3s\n"
    owner = made["labels"]["pytest-itbench.owner"]
    assert owner != describe_owner()
    assert not is_gone(owner)
    code = "from pytest_itbench.owner import describe_owner; print(describe_owner())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert is_gone(owner.replace(describe_owner(), dead))
    source.close()
    assert k3s[1:] == [{"removed": [f"pytest-itbench.run={source.name}"]}]
    assert not source.kubeconfig.exists()


@pytest.mark.parametrize("error", [TimeoutError("no controller"), KeyboardInterrupt()])
def test_a_k3s_that_does_not_start_is_removed(
    k3s: list[dict[str, Any]],
    make: Callable[..., ProviderOptions],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    """The next try has the same name."""

    def fail(container: object) -> str:
        del container
        raise error

    monkeypatch.setattr("testcontainers.community.k3s.K3SContainer.config_yaml", fail)
    source = find_source(make(cluster="k3s"))
    with pytest.raises((EngineTrouble, KeyboardInterrupt)):
        source.ensure()
    assert k3s[1:] == [{"removed": [f"pytest-itbench.run={source.name}"]}]
    assert not source.kubeconfig.exists()
