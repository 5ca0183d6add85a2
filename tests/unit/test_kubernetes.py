"""What environments on a cluster know without one: states, manifests, pods that are refused, evidence, faults."""

from __future__ import annotations

import base64
import importlib.util
import ssl
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_args

import pytest
import yaml

from pytest_itbench.domain.scenario import Cluster, Namespace, Stack
from pytest_itbench.errors import EngineTrouble
from pytest_itbench.loading.fault_file import FaultFile

pytest.importorskip("kubernetes", reason="not on this machine: the extra kubernetes")

from pytest_itbench.environments.kubernetes import (
    cleanliness,
    evidence,
    faults,
    guard,
    runner,
    snapshot,
    stack,
    surroundings,
    view,
)
from pytest_itbench.environments.kubernetes.api import Api
from pytest_itbench.environments.kubernetes.images import LEAVE_THERE
from pytest_itbench.environments.kubernetes.lease import Lease
from pytest_itbench.environments.kubernetes.place import Place
from pytest_itbench.environments.kubernetes.sources import Source
from pytest_itbench.environments.kubernetes.surroundings import Surroundings, await_node, refuse_lapse

Object = dict[str, Any]
LEASE = Lease(name="l", namespaces={"shop": "itbench-1-shop", "bank": "itbench-1-bank"}, control="itbench-1-control")


# States


DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "cart", "uid": "1", "resourceVersion": "7", "labels": {"app": "cart"}, "annotations": {}},
    "spec": {
        "replicas": 1,
        "template": {
            "metadata": {"labels": {"app": "cart"}},
            "spec": {"containers": [{"name": "cart", "image": "a"}, {"name": "log", "image": "b"}]},
        },
    },
    "status": {"replicas": 1},
}


def change(path: str, value: object, thing: Object = DEPLOYMENT) -> Object:
    """A copy with another value at a path such as ``spec.replicas``; containers by number."""
    copy = deepcopy(thing)
    *way, last = path.split(".")
    node: Any = copy
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    node[last] = value
    return copy


@pytest.mark.parametrize(
    "changed",
    [
        change("metadata.resourceVersion", "8"),
        change("metadata.managedFields", [{"manager": "kubectl"}]),
        change("metadata.annotations", {"deployment.kubernetes.io/revision": "2"}),
        change("metadata.annotations", {"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
        change("spec.template.metadata.annotations", {"kubectl.kubernetes.io/restartedAt": "now"}),
        change("status", {"replicas": 9}),
        change("metadata.finalizers", []),
        change("secrets", [{"name": "token"}]),
    ],
)
def test_what_the_cluster_writes_is_no_difference(changed: Object) -> None:
    """Versions, status, its own annotations, a restart, what is empty."""
    before, after = ({"shop/Deployment/cart": snapshot.strip(deepcopy(each))} for each in (DEPLOYMENT, changed))
    assert snapshot.find_differences(before, after) == []


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (change("metadata.labels.app", "x"), "metadata.labels.app"),
        (change("metadata.annotations", {"note": "x"}), "metadata.annotations.note"),
        (change("metadata.annotations", {"kubectl.kubernetes.io/other": "x"}), "metadata.annotations.kubectl"),
        (change("metadata.finalizers", ["x"]), "metadata.finalizers"),
        (change("spec.replicas", 0), "spec.replicas"),
        (change("spec.template.spec.containers.0.image", "c"), "spec.template.spec.containers[cart].image"),
        (change("spec.template.spec.containers.1.image", "c"), "spec.template.spec.containers[log].image"),
        (
            change("spec.template.spec.containers", [{"name": "cart", "image": "a"}]),
            "spec.template.spec.containers[log]",
        ),
        (change("spec.template.metadata.annotations", {"a": "b"}), "spec.template.metadata.annotations"),
        (change("spec.paused", value=True), "spec.paused"),
        (change("data", {"key": "value"}), "data"),
    ],
)
def test_what_somebody_changed_is_found(changed: Object, path: str) -> None:
    """By the object and the path within it; items of lists by their name."""
    before, after = ({"shop/Deployment/cart": snapshot.strip(deepcopy(each))} for each in (DEPLOYMENT, changed))
    (found,) = snapshot.find_differences(before, after)
    assert found.startswith(f"shop/Deployment/cart: {path}")


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"a": None}, {}, []),
        ({"a": []}, {"a": {}}, []),
        ({"a": 0}, {}, ["a"]),
        ({"a": False}, {}, ["a"]),
        ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, ["a.b", "a.c"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a"]),
        ({"a": [{"name": "x"}, {"name": "y"}]}, {"a": [{"name": "y"}, {"name": "x"}]}, []),
        ({"a": [{"name": "x", "v": 1}]}, {"a": [{"name": "x", "v": 2}]}, ["a[x].v"]),
        ({"a": [{"name": "x"}, {"name": "x"}]}, {"a": [{"name": "x"}]}, ["a"]),
        ({"a": [{"port": 1}]}, {"a": [{"port": 2}]}, ["a"]),
    ],
)
def test_objects_are_compared_to_the_leaf(old: Object, new: Object, paths: list[str]) -> None:
    """Nothing and empty are the same; lists of named things are compared by name, others as a whole."""
    assert list(snapshot.compare(old, new)) == paths


def test_what_came_and_went_is_told() -> None:
    """Objects that are there on one side alone."""
    assert snapshot.find_differences({"a/Pod/x": {}, "b": {}}, {"a/Pod/y": {}, "b": {}}) == [
        "a/Pod/x: removed",
        "a/Pod/y: made",
    ]


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("shop/Deployment/cart: spec.template.spec.containers[log].image", True),
        ("shop/Deployment/cart: *", True),
        ("shop/Deployment/*: spec.template.*[log].image", True),
        ("shop/*: *containers[*].image", True),
        ("*", True),
        ("shop/Deployment/cart: spec.template.spec.containers[lo].image", False),
        ("shop/Deployment/cart: spec.template.spec.containers", False),
        ("shop/Deployment/cart", False),
        ("bank/*", False),
        ("shop/Deployment/CART: *", False),
    ],
)
def test_patterns_allow_differences(pattern: str, *, allowed: bool) -> None:
    """A star stands for anything, a bracket for itself."""
    difference = "shop/Deployment/cart: spec.template.spec.containers[log].image"
    assert snapshot.find_unexpected([difference, "x/Pod/y: made"], [pattern, "x/*"]) == (
        [] if allowed else [difference]
    )


@pytest.mark.parametrize(
    ("current", "wanted", "patch"),
    [
        ({"spec": {"a": 1, "b": 2}}, {"spec": {"a": 3}}, {"spec": {"a": 3, "b": None}}),
        ({"data": {"a": "x"}, "extra": 1}, {"data": {"a": "x"}}, {"data": {"a": "x"}, "extra": None}),
        ({"data": {"a": "x"}}, {}, {"data": None}),
        ({"status": {"a": 1}, "kind": "X"}, {"rules": []}, {"rules": []}),
        ({"rules": [1, 2]}, {"rules": [1]}, {"rules": [1]}),
    ],
)
def test_what_came_in_is_taken_out(current: Object, wanted: Object, patch: Object) -> None:
    """A merge sets to nothing what is there and not wanted; what is wanted stays."""
    found = cleanliness._with_removals({**current, "metadata": {}}, {**wanted, "metadata": {}})
    assert {key: value for key, value in found.items() if key != "metadata"} == patch


def test_labels_that_came_in_are_taken_out() -> None:
    """And those that were changed are set back."""
    current = {"metadata": {"labels": {"mine": "x", "app": "y"}}}
    found = cleanliness._with_removals(current, {"metadata": {"labels": {"app": "z"}, "annotations": {"a": "b"}}})
    assert found["metadata"]["labels"] == {"mine": None, "app": "z"}
    assert found["metadata"]["annotations"]["a"] == "b"


# Manifests


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("250m", 0.25),
        ("2", 2),
        ("1.5", 1.5),
        ("64Mi", 64 * 2**20),
        ("1G", 1e9),
        ("16Gi", 2**34),
        ("10k", 1e4),
        ("1T", 1e12),
        ("500n", 5e-7),
        ("1e3", 1e3),
        ("2E", 2e18),
    ],
)
def test_quantities_are_read(text: str, amount: float) -> None:
    """As Kubernetes writes them."""
    assert stack.parse_quantity(text) == pytest.approx(amount)


def test_manifests_are_rendered_for_a_lease() -> None:
    """Names of namespaces and of images are put in; everything else stays, also what looks alike."""
    manifest = {
        "kind": "Deployment",
        "metadata": {"name": "cart"},
        "spec": {
            "containers": [{"image": "service", "args": ["http://bank.@bank@.svc", "@nobody@", "service"], "port": 80}],
            "image": "other",
        },
    }
    before = deepcopy(manifest)
    assert stack.render(manifest, "shop", LEASE, {"service": "itbench/service:1"}) == {
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "itbench-1-shop"},
        "spec": {
            "containers": [
                {
                    "image": "itbench/service:1",
                    "args": ["http://bank.itbench-1-bank.svc", "@nobody@", "service"],
                    "port": 80,
                }
            ],
            "image": "other",
        },
    }
    assert manifest == before


def make_workload(name: str, replicas: int | None, **resources: Object) -> str:
    spec: Object = {"template": {"spec": {"containers": [{"name": name, "resources": resources}]}}}
    if replicas is not None:
        spec["replicas"] = replicas
    return yaml.safe_dump({"kind": "Deployment", "metadata": {"name": name}, "spec": spec})


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A stack of two workloads, and a manifest of a namespace with a third."""
    first = make_workload("a", 2, limits={"memory": "100Mi"}, requests={"cpu": "250m"})
    (tmp_path / "stack.yaml").write_text(f"{first}---\n{make_workload('b', None, limits={'memory': '50Mi'})}---\n")
    (tmp_path / "more.yaml").write_text(
        "kind: Service\nmetadata: {name: s, namespace: shop}\n---\n" + make_workload("c", 0)
    )
    return Cluster(
        namespaces=(Namespace(name="shop"), Namespace(name="bank", manifests=(tmp_path / "more.yaml",))),
        stack=Stack(directory=tmp_path, images=(), manifests=(tmp_path / "stack.yaml",)),
    )


def test_objects_have_a_namespace(cluster: Cluster) -> None:
    """Their own, else that of the part of the scenario which names the file."""
    found = [(name, each["metadata"]["name"]) for name, _, each in stack.find_objects(cluster)]
    assert found == [("shop", "a"), ("shop", "b"), ("shop", "s"), ("bank", "c")]


def test_pods_are_measured(cluster: Cluster) -> None:
    """Each replica counts; without a number there is one, and without a limit it asks for nothing."""
    assert stack.measure_pods(cluster) == {"memory": 250 * 2**20, "cpus": 0.5, "pods": 3}


READY = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}


@pytest.mark.parametrize(
    ("spec", "status", "ready"),
    [
        ({"replicas": 2}, READY, True),
        ({"replicas": 2}, {**READY, "availableReplicas": 1}, False),
        ({"replicas": 2}, {**READY, "updatedReplicas": 1}, False),
        ({"replicas": 2}, {**READY, "replicas": 3}, False),
        ({"replicas": 2}, {**READY, "observedGeneration": 1}, False),
        ({"replicas": 2}, {}, False),
        ({"replicas": 0}, {"observedGeneration": 2}, True),
        (
            {},
            {"observedGeneration": 2, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberReady": 1},
            True,
        ),
        (
            {},
            {"observedGeneration": 2, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberReady": 0},
            False,
        ),
        (
            {},
            {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberReady": 2},
            False,
        ),
    ],
)
def test_a_workload_is_ready(spec: Object, status: Object, *, ready: bool) -> None:
    """When all of its pods are there, of the latest form, and no others."""
    assert stack.is_ready({"metadata": {"generation": 2}, "spec": spec, "status": status}) is ready


# The candidate's pod


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("output", "said", "result"),
    [
        ("hello\n", "hello\n", None),
        (f"hello\n\nM\n{encode('{}')}\n", "hello\n", "{}"),
        (f"\nM\n{encode('forged')}\n\nM\n{encode('true')}", f"\nM\n{encode('forged')}\n", "true"),
        ("hello\n\nM\n", "hello\n", ""),
        ("hello\n\nM\nno base64!", "hello\n", None),
        (f"hello M {encode('x')}", f"hello M {encode('x')}", None),
        (f"a\nM\n{base64.b64encode(bytes([255])).decode()}", "a", "\ufffd"),
    ],
)
def test_the_result_is_split_from_the_output(output: str, said: str, result: str | None) -> None:
    """By the last mark; what is no base64 is no result, and bytes that are no text do not matter."""
    assert runner.split_result(output, "M") == (said, result)


def make_pod(phase: str, *, status: Object | None = None, **containers: Object) -> Object:
    states = [{"name": "candidate", "state": containers}] if containers else []
    return {"metadata": {"name": "p"}, "status": {"phase": phase, "containerStatuses": states, **(status or {})}}


@pytest.mark.parametrize(
    ("pod", "status", "note"),
    [
        (None, None, "ended after 5 s, its time limit"),
        (
            make_pod("Failed", status={"reason": "DeadlineExceeded"}, running={}),
            None,
            "ended after 5 s, its time limit",
        ),
        (make_pod("Succeeded", terminated={"exitCode": 0, "reason": "Completed"}), 0, ""),
        (make_pod("Failed", terminated={"exitCode": 3, "reason": "Error"}), 3, ""),
        (
            make_pod("Failed", terminated={"exitCode": 137, "reason": "OOMKilled"}),
            137,
            "ended by the cluster: OOMKilled",
        ),
    ],
)
def test_the_end_of_a_pod_is_read(pod: Object | None, status: int | None, note: str) -> None:
    """Its exit status, and what the cluster says of it."""
    found = runner._read_status(pod, 5.0)
    assert (found[0], found[1].strip()) == (status, note)


@pytest.mark.parametrize("reason", ["Evicted", "NodeShutdown", "Terminated", "Preempting"])
def test_a_pod_that_the_cluster_ends_is_no_miss(reason: str) -> None:
    """Its container was killed, which the candidate did nothing for."""
    status = {"reason": reason, "message": "The node was low on resource: memory."}
    with pytest.raises(EngineTrouble, match=f"the cluster ended the candidate's pod: {reason} The node"):
        runner._read_status(make_pod("Failed", status=status, terminated={"exitCode": 137, "reason": "Error"}), 5.0)


def test_a_pod_that_is_put_out_for_its_own_excess_is_a_miss() -> None:
    """It wrote more than it may."""
    status = {"reason": "Evicted", "message": "Pod ephemeral local storage usage exceeds the total limit of 512Mi"}
    found = runner._read_status(make_pod("Failed", status=status), 5.0)
    assert (found[0], "exceeds the total limit" in found[1]) == (137, True)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"reason": "Evicted", "message": "node was low on memory"}, "node was low on memory"),
        ({"reason": "NodeLost"}, "NodeLost"),
        ({"reason": "DeadlineExceeded"}, "DeadlineExceeded"),
        ({}, "nobody says why"),
        (
            {
                "initContainerStatuses": [
                    {"name": "wall", "state": {"terminated": {"exitCode": 1, "message": "no tables"}}}
                ]
            },
            "no tables",
        ),
    ],
)
def test_a_pod_that_never_began_is_no_miss(status: Object, said: str) -> None:
    """The candidate did nothing wrong; the text says what the cluster knows."""
    with pytest.raises(EngineTrouble, match=said):
        runner._read_status(make_pod("Failed", status=status), 5.0)


# Pods that are refused


@pytest.fixture(scope="module")
def guard_image() -> ModuleType:
    """The guard's file, which is copied into its image."""
    path = Path(guard.__file__).parent / "image" / "guard.py"
    spec = importlib.util.spec_from_file_location("itbench_guard_image", path)
    assert spec
    assert spec.loader
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def find_problem(guard_image: ModuleType) -> Callable[[Object], str]:
    """What of a pod is refused."""
    found: Callable[[Object], str] = guard_image.find_problem
    return found


def contain(**context: object) -> Object:
    return {"containers": [{"name": "a", "securityContext": context}]}


HOSTILE = [
    ({"hostNetwork": True}, "hostNetwork"),
    ({"hostPID": True}, "hostPID"),
    ({"hostIPC": True}, "hostIPC"),
    ({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": {"path": "/"}}]}, "hostPath"),
    ({"volumes": [{"name": "a", "nfs": {"server": "x", "path": "/"}}]}, "nfs"),
    ({"volumes": [{"name": "a", "csi": {"driver": "x"}}]}, "csi"),
    ({"securityContext": {"sysctls": [{"name": "kernel.shmmax", "value": "1"}]}}, "sysctls"),
    ({"priorityClassName": "system-node-critical"}, "system priorities"),
    (contain(privileged=True), "privileged"),
    (contain(capabilities={"add": ["CHOWN", "SYS_ADMIN"]}), "SYS_ADMIN"),
    (contain(capabilities={"add": ["NET_RAW"]}), "NET_RAW"),
    (contain(capabilities={"add": ["ALL"]}), "ALL"),
    (contain(procMount="Unmasked"), "procMount"),
    ({"containers": [{"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]}]}, "hostPort"),
    ({"containers": [{"name": "a"}, {"name": "b", "securityContext": {"privileged": True}}]}, "privileged"),
    ({"containers": [{}], "initContainers": [{"securityContext": {"privileged": True}}]}, "privileged"),
    ({"containers": [{}], "ephemeralContainers": [{"securityContext": {"privileged": True}}]}, "privileged"),
    ({"containers": [{}], "ephemeralContainers": [{"ports": [{"hostPort": 1}]}]}, "hostPort"),
    ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccompProfile Unconfined"),
    (contain(appArmorProfile={"type": "Unconfined"}), "appArmorProfile Unconfined"),
    (contain(seLinuxOptions={"type": "spc_t"}), "seLinuxOptions"),
    ({"securityContext": {"seLinuxOptions": {"user": "system_u"}}}, "seLinuxOptions"),
    ({"securityContext": {"windowsOptions": {"hostProcess": True}}}, "hostProcess"),
    ({"containers": [{"livenessProbe": {"httpGet": {"host": "169.254.169.254", "port": 80}}}]}, "probes"),
    ({"containers": [{"lifecycle": {"postStart": {"tcpSocket": {"host": "10.0.0.1", "port": 1}}}}]}, "probes"),
]


@pytest.mark.parametrize(("spec", "said"), HOSTILE, ids=[said for _, said in HOSTILE])
def test_a_hostile_pod_is_refused(find_problem: Callable[[Object], str], spec: Object, said: str) -> None:
    """Whatever leads out of its containers, in whichever of them; the text names it."""
    assert said in find_problem(spec)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"containers": [{"name": "a"}], "volumes": None, "initContainers": None, "securityContext": None},
        {
            "hostNetwork": False,
            "volumes": [{"name": "a", "secret": {"secretName": "x"}}, {"name": "b", "hostPath": None}],
        },
        {"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "x"}}, {"name": "b", "projected": {}}]},
        {"securityContext": {"fsGroup": 1, "runAsUser": 0}, "priorityClassName": "high"},
        {"priorityClassName": "", "containers": [{"ports": [{"containerPort": 80}]}]},
        contain(capabilities={"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}, procMount="Default", privileged=False),
        contain(capabilities={"add": None}),
        contain(seccompProfile={"type": "RuntimeDefault"}, seLinuxOptions={"type": "container_t"}),
        {"containers": [{"readinessProbe": {"httpGet": {"path": "/", "port": 80}}, "lifecycle": None}]},
    ],
)
def test_a_harmless_pod_is_let_in(find_problem: Callable[[Object], str], spec: Object) -> None:
    """The usual ones, with what they leave empty."""
    assert find_problem(spec) == ""


def review(kind: str, made: Object, operation: str = "CREATE", **given: object) -> Object:
    user = {"username": "system:serviceaccount:itbench-1-control:candidate"}
    request = {"kind": {"kind": kind}, "object": made, "operation": operation, "namespace": "itbench-1-front-end"}
    return {**request, "name": "mine", "userInfo": user, **given}


def send_to(*peers: Object, **rest: object) -> Object:
    return {"metadata": {"name": "mine"}, "spec": {"egress": [{"to": list(peers), **rest}]}}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (review("NetworkPolicy", send_to({"podSelector": {}})), ""),
        (review("NetworkPolicy", send_to(ports=[{"port": 53}])), ""),
        (review("NetworkPolicy", {"spec": {"policyTypes": ["Egress"], "egress": []}}), ""),
        (
            review(
                "NetworkPolicy", send_to({"namespaceSelector": {"matchLabels": {"pytest-itbench/lease": "itbench-1"}}})
            ),
            "",
        ),
        (
            review(
                "NetworkPolicy",
                send_to({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "itbench-1-shop"}}}),
            ),
            "",
        ),
        (review("NetworkPolicy", send_to()), "egress to everybody"),
        (review("NetworkPolicy", send_to(ports=[{"port": 53}, {"port": 80}])), "egress to everybody"),
        (review("NetworkPolicy", send_to({"ipBlock": {"cidr": "0.0.0.0/0"}})), "egress to addresses"),
        (review("NetworkPolicy", send_to({"namespaceSelector": {}})), "egress to other namespaces"),
        (
            review(
                "NetworkPolicy", send_to({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "x"}}})
            ),
            "egress to other namespaces",
        ),
        (review("NetworkPolicy", {}, "DELETE", name="attempt"), "stays as it is"),
        (review("NetworkPolicy", send_to({"podSelector": {}}), "UPDATE", name="attempt"), "stays as it is"),
        (review("NetworkPolicy", {}, "DELETE", name="attempt", userInfo={"username": "admin"}), ""),
        (review("NetworkPolicy", {}, "DELETE"), ""),
        (review("NetworkPolicy", send_to(), userInfo={"username": "admin"}), ""),
        (review("Service", {"spec": {"type": "NodePort"}}), "NodePort"),
        (review("Pod", {"spec": {"hostPID": True}}), "hostPID"),
        (
            review(
                "Pod", {"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}}}
            ),
            "annotation container.apparmor",
        ),
    ],
)
def test_reviews_are_judged_by_their_kind(guard_image: ModuleType, request_: Object, said: str) -> None:
    """Policies stay within the lease, and the lease's own stays as it is for candidates."""
    found: str = guard_image.judge(request_)
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"externalIPs": ["10.0.0.1"]}, "externalIPs are not allowed"),
        ({"type": "NodePort"}, "services of type NodePort are not allowed"),
        ({"type": "LoadBalancer"}, "services of type LoadBalancer are not allowed"),
        ({"type": "ClusterIP", "externalIPs": []}, ""),
        ({"clusterIP": "None"}, ""),
    ],
)
def test_a_service_stays_within_the_cluster(guard_image: ModuleType, spec: Object, said: str) -> None:
    """It takes no traffic for addresses that are not its own."""
    assert guard_image.find_service_problem(spec) == said


def test_a_certificate_is_for_its_name(tmp_path: Path) -> None:
    """The key fits, and who trusts the authority can make a context of it."""
    authority, certificate, key = guard.make_certificate("guard.itbench-1.svc")
    for name, text in (("ca", authority), ("crt", certificate), ("key", key)):
        (tmp_path / name).write_text(text)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    client = ssl.create_default_context(cafile=str(tmp_path / "ca"))
    ends = [(ssl.MemoryBIO(), ssl.MemoryBIO())]
    ours, theirs = ends[0]
    talkers = (
        client.wrap_bio(theirs, ours, server_hostname="guard.itbench-1.svc"),
        server.wrap_bio(ours, theirs, server_side=True),
    )
    shake(talkers)
    assert ("DNS", "guard.itbench-1.svc") in talkers[0].getpeercert()["subjectAltName"]  # type: ignore[index]


def shake(talkers: Sequence[ssl.SSLObject]) -> None:
    """Both ends of a TLS connection, until both are content."""
    waiting = list(talkers)
    for _ in range(10):
        for each in list(waiting):
            try:
                each.do_handshake()
                waiting.remove(each)
            except ssl.SSLWantReadError:
                continue
    assert waiting == []


# What is told of a cluster


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such"}}}]},
            "p: ImagePullBackOff no such",
        ),
        ({"initContainerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}, "p: CrashLoopBackOff"),
        ({"conditions": [{"status": "False", "message": "0/1 nodes are available"}]}, "p: 0/1 nodes are available"),
        ({"conditions": [{"status": "False"}], "containerStatuses": [{"state": {"running": {}}}]}, "no pod says why"),
        ({}, "no pod says why"),
    ],
)
def test_what_pods_wait_for_is_told(status: Object, said: str) -> None:
    """The reason of a container, else the condition that is not met."""
    assert guard.describe_waiting([{"metadata": {"name": "p"}, "status": status}]) == said


def test_few_of_many_waiting_pods_are_told() -> None:
    """Five are enough for a line."""
    state = {"containerStatuses": [{"state": {"waiting": {"reason": "X"}}}]}
    pods = [{"metadata": {"name": f"p{at}"}, "status": state} for at in range(9)]
    assert guard.describe_waiting(pods).count("X") == 5


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"phase": "Pending"}, "p: Pending; "),
        (
            {
                "phase": "Running",
                "containerStatuses": [{"name": "c", "ready": True, "restartCount": 2, "state": {"running": {}}}],
            },
            "p: Running; c running  (ready, 2 restarts)",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "c",
                        "restartCount": 0,
                        "state": {"terminated": {"reason": "Error", "exitCode": 1, "message": "a\nb"}},
                    }
                ],
            },
            "p: Running; c terminated Error 1 a b (not ready, 0 restarts)",
        ),
        ({"phase": "Pending", "containerStatuses": [{"name": "c", "restartCount": 0}]}, "p: Pending; c unknown  (not"),
        (
            {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}]},
            "p: Pending; PodScheduled: no node",
        ),
    ],
)
def test_a_pod_is_told_in_a_line(status: Object, said: str) -> None:
    """Phase, containers, and what is not met."""
    line = evidence.describe_pod({"metadata": {"name": "p"}, "status": status})
    assert line.startswith(said)
    assert "\n" not in line


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}, "n: Ready=True"),
        ({"spec": {"unschedulable": True}, "status": {}}, "n (takes no pods): "),
    ],
)
def test_a_node_is_told_in_a_line(node: Object, said: str) -> None:
    """Its conditions, and whether it takes pods."""
    assert evidence.describe_node({"metadata": {"name": "n"}, **node}) == said


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"lastTimestamp": "t", "count": 3}, "t Pod/p Failed: no image x3"),
        ({"lastTimestamp": None, "eventTime": "e", "count": None}, "e Pod/p Failed: no image"),
        ({}, "c Pod/p Failed: no image"),
    ],
)
def test_an_event_is_told_in_a_line(event: Object, said: str) -> None:
    """When, what, why, and how often."""
    about = {"kind": "Pod", "name": "p"}
    usual = {"reason": "Failed", "message": "no image", "metadata": {"creationTimestamp": "c"}, "involvedObject": about}
    assert evidence.describe_event({**usual, **event}) == said


# Faults


def test_every_fault_can_be_made() -> None:
    """Each kind that a file may name has an injector, and the other way round."""
    shapes = get_args(get_args(FaultFile)[0])
    kinds = [get_args(shape.model_fields["kind"].annotation)[0] for shape in shapes]
    assert sorted(kinds) == sorted(faults.INJECTORS)
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(
    ("spec", "status", "problem"),
    [
        ({"replicas": 2}, {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "observedGeneration": 3}, ""),
        ({}, {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "observedGeneration": 3}, ""),
        ({"replicas": 0}, {"observedGeneration": 3}, "it wants no replica"),
        (
            {"replicas": 1},
            {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "observedGeneration": 2},
            "the cluster has not seen its last change yet",
        ),
        (
            {"replicas": 1},
            {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "observedGeneration": 3},
            "of 1 replicas 1 are new and 1 ready",
        ),
        ({"replicas": 1}, {"observedGeneration": 3}, "of 1 replicas 0 are new and 0 ready"),
    ],
)
def test_a_rollout_is_through_when_nothing_old_is_left(spec: Object, status: Object, problem: str) -> None:
    """And everything new is ready."""
    assert view._find_delay({"metadata": {"generation": 3}, "spec": spec, "status": status}) == problem


@pytest.mark.parametrize(
    ("address", "told"), [("10.0.0.2", []), ("None", ["shop/Service/cart: spec.clusterIP"]), ("", [])]
)
def test_a_new_address_is_no_change(address: str, told: list[str]) -> None:
    """Nobody chose it; that a service has none was chosen."""
    old, new = ({"spec": {"clusterIP": each, "ports": []}} for each in ("10.0.0.1", address))
    states = [{"shop/Service/cart": snapshot._forget_address("shop/Service/cart", each)} for each in (old, new)]
    assert snapshot.find_differences(*states) == told


WELL = Surroundings(guard="uid 0", unready={"old": "gone for days"})


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (replace(WELL, guard="uid 1"), "the guard of the run's pods was started again"),
        (replace(WELL, guard=""), "the guard of the run's pods was started again"),
        (
            replace(WELL, unready={"old": "gone for days", "n": "kubelet stopped"}),
            "node n is not ready: kubelet stopped",
        ),
        (replace(WELL, evicted={"p": "node was low on memory"}), "pod p was put out: node was low on memory"),
    ],
)
def test_what_happens_to_the_cluster_is_no_miss(now: Surroundings, said: str) -> None:
    """It is told with its cause; what was so before the candidate does not count."""
    refuse_lapse(WELL, WELL)
    with pytest.raises(EngineTrouble, match=said) as caught:
        refuse_lapse(WELL, now)
    assert caught.value.cause == "cluster"


class Nodes:
    """An API server that knows nodes alone; what each says for not being ready, one answer after the other."""

    def __init__(self, *answers: dict[str, str]) -> None:
        self.answers = list(answers)

    def get(self, path: str) -> Object:
        """The next answer; the last one for ever."""
        assert path == "/api/v1/nodes"
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        conditions = {name: {"type": "Ready", "status": str(not why), "message": why} for name, why in said.items()}
        items = [{"metadata": {"name": name}, "status": {"conditions": [each]}} for name, each in conditions.items()]
        return {"items": items}


@pytest.mark.parametrize("answers", [[{"a": ""}], [{}], [{"a": "gone", "b": ""}], [{"a": "starts"}, {"a": ""}]])
def test_one_node_that_is_ready_is_enough(answers: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """At once or after a while; a cluster that shows none may have some."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    nodes = Nodes(*answers)
    await_node(cast("Api", nodes))
    assert nodes.answers == answers[-1:]


def test_attempts_do_not_start_on_dead_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause is told once the time for it is over, with what each node says."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(surroundings, "NODE_WITHIN", 0.05)
    with pytest.raises(EngineTrouble, match=r"no node .*: a: kubelet stopped; b: gone") as caught:
        await_node(cast("Api", Nodes({"a": "kubelet stopped", "b": "gone"})))
    assert caught.value.cause == "cluster"


def make_lost_place(path: Path) -> Place:
    """A cluster that cannot be reached."""
    return Place(Source(name="lost", kubeconfig=path / "none.yaml", context="", deliver=LEAVE_THERE), path, "me", {})


def test_a_release_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is done in the background, and nobody asks what came of it."""

    def fail(*given: object) -> None:
        raise KeyError(given)

    monkeypatch.setattr("pytest_itbench.environments.kubernetes.place.release_lease", fail)
    place = make_lost_place(tmp_path)
    place.release(["itbench-1-shop"], "itbench-1")
    place.await_releases()
    assert "removing lease itbench-1 failed" in caplog.text


def test_namespaces_that_stay_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows whether they are gone from a cluster that does not answer."""
    place = make_lost_place(tmp_path)
    place.release(["itbench-1-shop"], "itbench-1")
    place.await_releases()
    assert "itbench-1-shop of lease itbench-1 are not known to be gone" in caplog.text
