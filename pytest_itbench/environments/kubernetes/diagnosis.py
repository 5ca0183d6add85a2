"""What ``pytest-itbench doctor`` says of the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_itbench.environments.kubernetes.api import Api, Refused
from pytest_itbench.environments.kubernetes.evidence import describe_node
from pytest_itbench.environments.kubernetes.place import Place
from pytest_itbench.environments.kubernetes.surroundings import find_unreadiness

NEEDED = (
    ("create", "", "namespaces"),
    ("create", "rbac.authorization.k8s.io", "rolebindings"),
    ("create", "rbac.authorization.k8s.io", "clusterroles"),
    ("create", "admissionregistration.k8s.io", "validatingwebhookconfigurations"),
)


def diagnose_cluster(place: Place) -> Iterator[tuple[bool, str]]:
    """Version, nodes, room, rights, and what cannot be promised there.

    Raises:
        Refused, EngineTrouble
    """
    api = place.api
    yield True, f"cluster: {place.source.name} at {api.address}, Kubernetes {api.get('/version')['gitVersion']}"
    for node in api.get("/api/v1/nodes")["items"]:
        takes_pods = not node["spec"].get("unschedulable") and not find_unreadiness(node)
        yield takes_pods, f"cluster node: {describe_node(node)}"
    room = place.find_capacity()
    yield True, f"cluster room: {room.memory / 2**30:.1f} GiB memory, {room.cpus:.1f} processors, {room.pids:g} pods"
    for verb, group, resource in NEEDED:
        if not may(api, verb, group, resource):
            yield False, f"cluster: the kubeconfig's user may not {verb} {resource}, which attempts need"
    policies = "enforced only where the cluster's network does so; pods of attempts are held by them alone"
    yield True, f"cluster network policies: {policies}"
    yield True, "cluster processes: those of hosts are bounded by the nodes alone (podPidsLimit of their kubelets)"


def may(api: Api, verb: str, group: str, resource: str) -> bool:
    """Whether the kubeconfig's user has a right."""
    attributes = {"verb": verb, "group": group, "resource": resource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    try:
        return bool(api.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)["status"]["allowed"])
    except Refused:
        return False
