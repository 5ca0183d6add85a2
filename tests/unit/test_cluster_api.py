"""What is asked of a cluster's API, and what is made of its answers, with a server that stands in for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.domain.scenario import Cluster, Namespace, Rule
from pytest_itbench.errors import EngineTrouble

pytest.importorskip("kubernetes", reason="not on this machine: the extra kubernetes")

from pytest_itbench.environments.kubernetes import api as api_module
from pytest_itbench.environments.kubernetes import cleanliness
from pytest_itbench.environments.kubernetes.api import Api
from pytest_itbench.environments.kubernetes.lease import Lease
from pytest_itbench.environments.kubernetes.snapshot import take_cluster_state, take_state
from pytest_itbench.environments.kubernetes.view import ClusterView

Object = dict[str, Any]
Write = Callable[[BaseHTTPRequestHandler], None]
LEASE = Lease(name="itbench-1", namespaces={"shop": "itbench-1-shop"}, control="itbench-1-control")
PROXY = "/api/v1/namespaces/itbench-1-shop/services/web:80/proxy"


class Server(ThreadingHTTPServer):
    """Answers by path: with an object, or as a function writes it; 404 for anything else."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Object | Write] = {"/version": {"gitVersion": "v1"}}

    def offer(self, version: str, *kinds: tuple[str, str, bool], **objects: list[Object]) -> None:
        """A group's kinds (kind, plural, whether in namespaces), and what there is of each plural."""
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        resources = [
            {"kind": kind, "name": plural, "namespaced": namespaced, "verbs": ["list", "get"]}
            for kind, plural, namespaced in kinds
        ]
        self.answers[root] = {"resources": resources}
        for kind, plural, namespaced in kinds:
            places = ("namespaces/itbench-1-shop/", "namespaces/kube-system/") if namespaced else ("",)
            for place in places:
                self.answers[f"{root}/{place}{plural}"] = {"items": objects.get(plural, []), "kind": kind}
        groups = self.answers.setdefault("/apis", {"groups": []})
        if "/" in version:
            assert isinstance(groups, dict)
            groups["groups"].append({"preferredVersion": {"groupVersion": version}})


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        """Answer it."""
        answer = self.server.answers.get(self.path.partition("?")[0])
        if callable(answer):
            answer(self)
            return
        send(self, 404 if answer is None else 200, json.dumps(answer or {"reason": "NotFound"}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """A whole answer."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    """A running one."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def api(server: Server, tmp_path: Path) -> Iterator[Api]:
    """The API, as some user."""
    address = f"http://127.0.0.1:{server.server_address[1]}"
    config = {
        "clusters": [{"name": "a", "cluster": {"server": address}}],
        "users": [{"name": "a", "user": {"token": "t"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    api = Api(tmp_path / "config")
    yield api
    api.close()


@pytest.fixture
def view(api: Api) -> ClusterView:
    """What checks see, after a candidate."""
    return ClusterView(api, LEASE, None, before={}, find_of_cluster=None, collected={}, patient=True)


def call(name: str, **metadata: object) -> Object:
    """An object."""
    return {"metadata": {"name": name, **metadata}}


# What counts as a change


def test_what_the_cluster_measures_is_no_state(server: Server, api: Api) -> None:
    """Metrics, and what a network writes of its own, change by themselves."""
    server.offer("v1", ("Pod", "pods", True), ("ConfigMap", "configmaps", True), configmaps=[call("a")])
    server.offer("metrics.k8s.io/v1beta1", ("PodMetrics", "pods", True), pods=[call("web")])
    server.offer("cilium.io/v2", ("CiliumEndpoint", "ciliumendpoints", True), ciliumendpoints=[call("web")])
    server.offer("discovery.k8s.io/v1", ("EndpointSlice", "endpointslices", True), endpointslices=[call("web")])
    assert list(take_state(api, LEASE.namespaces)) == ["shop/ConfigMap/a"]


def test_an_owner_hides_only_what_controllers_make(server: Server, api: Api) -> None:
    """A candidate may write any owner into what it makes."""
    owned = call("x", ownerReferences=[{"kind": "ReplicaSet", "name": "r", "controller": True}])
    server.offer("v1", ("Pod", "pods", True), ("Secret", "secrets", True), pods=[owned], secrets=[owned])
    server.offer("rbac.authorization.k8s.io/v1", ("RoleBinding", "rolebindings", True), rolebindings=[owned])
    assert list(take_state(api, LEASE.namespaces)) == ["shop/Secret/x", "shop/RoleBinding/x"]


def test_the_clusters_own_kinds_come_first(server: Server, api: Api) -> None:
    """Others may call theirs by the same names; a group whose server is away does not matter."""
    server.offer("v1")
    server.offer("extensions/v1beta1", ("Ingress", "ingresses", True))
    server.offer("networking.k8s.io/v1", ("NetworkPolicy", "networkpolicies", True), ("Ingress", "ingresses", True))
    server.offer("crd.projectcalico.org/v1", ("NetworkPolicy", "networkpolicies", True))
    server.offer("metrics.k8s.io/v1beta1")
    server.answers["/apis/metrics.k8s.io/v1beta1"] = lambda handler: send(handler, 503, b"away")
    assert {(each.kind, each.version) for each in api.resources} == {
        ("NetworkPolicy", "networking.k8s.io/v1"),
        ("Ingress", "networking.k8s.io/v1"),
    }


def test_only_what_an_attempt_may_change_is_put_back(server: Server, api: Api) -> None:
    """The nodes for the faults, and what the candidate has rights to change; the rest is the cluster's own."""
    server.offer(
        "v1", ("Node", "nodes", False), ("ConfigMap", "configmaps", True), nodes=[call("n")], configmaps=[call("c")]
    )
    server.offer("networking.k8s.io/v1", ("IPAddress", "ipaddresses", False), ipaddresses=[call("10.0.0.1")])
    server.offer("rbac.authorization.k8s.io/v1", ("ClusterRole", "clusterroles", False), clusterroles=[call("r")])

    def find(*rules: Rule) -> list[str]:
        cluster = Cluster(namespaces=(Namespace(name="shop"),), rights=rules)
        return list(take_cluster_state(api, cleanliness.find_reach(cluster)))

    def allow(resource: str, *verbs: str) -> Rule:
        return Rule(groups=("",), resources=(resource,), verbs=verbs, names=())

    assert find() == ["Node/n"]
    assert find(allow("clusterroles", "get", "list")) == ["Node/n"]
    assert find(allow("clusterroles", "patch")) == ["Node/n", "ClusterRole/r"]
    assert find(allow("*", "*")) == ["Node/n", "kube-system/ConfigMap/c", "ClusterRole/r"]


# What services answer


def test_a_service_answers_checks(server: Server, view: ClusterView) -> None:
    """With its status and its text, whatever they are."""
    server.answers[f"{PROXY}/health"] = lambda handler: send(handler, 418, b'{"short": true}')
    answer = view.fetch("web", "/health")
    assert (answer.status, answer.json) == (418, {"short": True})


def test_a_service_that_comes_late_is_waited_for(server: Server, view: ClusterView) -> None:
    """Its endpoints follow its pods a moment later."""
    late = iter([503, 503, 200])
    server.answers[f"{PROXY}/"] = lambda handler: send(handler, next(late), b"")
    assert view.fetch("web").status == 200


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b".")
            time.sleep(0.02)
    except OSError:
        pass


def swell(handler: BaseHTTPRequestHandler) -> None:
    """As much as is taken."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"." * 65536)
    except OSError:
        pass


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Nothing for a while."""
    del handler
    time.sleep(1)


@pytest.mark.parametrize("answer", [drip, swell, hang])
def test_a_hostile_service_ends_no_check(
    server: Server, view: ClusterView, monkeypatch: pytest.MonkeyPatch, answer: Write
) -> None:
    """It gives status 0, which no check takes for an answer, and the attempt stays a miss."""
    monkeypatch.setattr("pytest_itbench.environments.kubernetes.view.ANSWER_WITHIN", 0.3)
    monkeypatch.setattr(api_module, "LARGEST_ANSWER", 2**20)
    server.answers[f"{PROXY}/"] = answer
    assert view.fetch("web").status == 0


def test_a_service_cannot_have_itself_asked_again(server: Server, view: ClusterView) -> None:
    """What it says of a later try is not heeded."""
    server.answers[f"{PROXY}/"] = lambda handler: send(handler, 429, b"later", Retry_After="100")
    assert (view.fetch("web").status, view.fetch("web").text) == (429, "later")


def test_a_silent_cluster_is_no_miss(server: Server, view: ClusterView) -> None:
    """If the cluster itself fails, nobody can say what the service would have answered."""
    server.answers |= {f"{PROXY}/": drip, "/version": lambda handler: send(handler, 500, b"")}
    with pytest.raises(EngineTrouble, match="the cluster fails"):
        view.fetch("web")


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refused_question_is_no_miss(server: Server, view: ClusterView, status: int) -> None:
    """Checks may ask anything: if they are refused, the cluster is at fault."""
    server.offer("v1", ("ConfigMap", "configmaps", True))
    server.answers["/api/v1/namespaces/itbench-1-shop/configmaps/a"] = lambda handler: send(handler, status, b"{}")
    with pytest.raises(EngineTrouble, match=f"a check's question was refused: .*{status}"):
        view.get("ConfigMap", "a")
    with pytest.raises(AssertionError, match="there is no ConfigMap b"):
        view.get("ConfigMap", "b")
