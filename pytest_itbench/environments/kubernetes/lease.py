"""What an attempt has of a cluster to itself: namespaces, and an account with the rights that its scenario states."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from pytest_itbench.domain.scenario import Cluster, Namespace, Rule
from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.errors import AttemptInvalid, EngineTrouble

LABEL = "pytest-itbench"
LEASE = f"{LABEL}/lease"
OWNER = f"{LABEL}/owner"
RUN = f"{LABEL}/run"
"""Annotations and labels: what a namespace is for, which lease it belongs to, and whose it is."""
ATTEMPT, HOSTS = "attempt", "hosts"
"""Kinds of namespaces, told by their label: where a candidate may make pods, and where it has no account at all."""
CONTROL = "control"
ACCOUNT = "candidate"
TOKEN_SECONDS = 7200
PATIENCE = 20.0
"""Seconds that the cluster has to do what it does by itself, such as making accounts."""
GONE_WITHIN = 120.0
WAYS_OUT = frozenset({"endpoints", "endpointslices", "services/proxy"})
STANDARD = "pod-security.kubernetes.io/enforce"
"""What pods may do there, on clusters that know it; the walls around our own pods need more than candidates' pods."""
LARGEST = {"count/configmaps": "100", "count/secrets": "100", "count/services": "100", "count/jobs.batch": "100"}
"""How many of such things a candidate may make, where the scenario's quota says nothing of them."""
DISK = {"default": {"ephemeral-storage": "1Gi"}, "defaultRequest": {"ephemeral-storage": "1Mi"}, "type": "Container"}
"""What a container may write, where its manifest says nothing of it: a node that runs short puts out others' pods."""
GRACELESS = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Namespaces by the names that the scenario gives them, and that from which the candidate is run."""

    name: str
    namespaces: Mapping[str, str]
    control: str

    @property
    def all(self) -> tuple[str, ...]:
        """The real names of all namespaces."""
        return (*self.namespaces.values(), self.control)


def plan_name() -> str:
    """A name that nobody else has."""
    return f"itbench-{secrets.token_hex(4)}"


def plan_lease(cluster: Cluster) -> Lease:
    """Names that nobody else has."""
    name = plan_name()
    return Lease(
        name=name,
        namespaces={each.name: f"{name}-{each.name}" for each in cluster.namespaces},
        control=f"{name}-{CONTROL}",
    )


def take_lease(api: Api, lease: Lease, cluster: Cluster, annotations: Mapping[str, str], run: str) -> None:
    """Make the namespaces with their quotas, and the account with its rights.

    Raises:
        Refused, EngineTrouble
    """
    kinds = dict.fromkeys(lease.namespaces.values(), ATTEMPT) | {lease.control: "control"}
    with ThreadPoolExecutor(len(kinds)) as pool:
        list(pool.map(lambda name: make_namespace(api, lease.name, name, kinds[name], annotations, run), kinds))
        list(pool.map(lambda each: _furnish(api, lease, each), cluster.namespaces))
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}}
    api.create(f"/api/v1/namespaces/{lease.control}/serviceaccounts", account)
    if cluster.rights:
        _grant_cluster_rights(api, lease, cluster)
    for name in lease.all:
        await_account(api, name)


def make_namespace(api: Api, lease: str, name: str, kind: str, annotations: Mapping[str, str], run: str) -> None:
    """Make one of a lease's namespaces.

    Raises:
        Refused, EngineTrouble
    """
    standard = "baseline" if kind == ATTEMPT else "privileged"
    labels = {LABEL: kind, LEASE: lease, RUN: run, STANDARD: standard}
    metadata = {"name": name, "labels": labels, "annotations": dict(annotations)}
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def _furnish(api: Api, lease: Lease, namespace: Namespace) -> None:
    real = lease.namespaces[namespace.name]
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "attempt"},
        "spec": {"hard": LARGEST | dict(namespace.quota)},
    }
    bounds = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "attempt"}, "spec": {"limits": [DISK]}}
    api.create(f"/api/v1/namespaces/{real}/resourcequotas", quota)
    api.create(f"/api/v1/namespaces/{real}/limitranges", bounds)
    if namespace.rights != "none":
        root = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{real}"
        role = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": ACCOUNT},
            "rules": [*find_rules(api, namespace.rights), *map(_describe_rule, namespace.rules)],
        }
        api.create(f"{root}/roles", role)
        api.create(f"{root}/rolebindings", _bind("RoleBinding", "Role", ACCOUNT, lease))
    if namespace.rights in ("edit", "admin"):
        _keep_in(api, lease, real)


def find_rules(api: Api, rights: str) -> list[Object]:
    """The rules of the cluster's own role, but for those by which the API server would go where the candidate sends it.

    Whoever may write endpoints and use a service's proxy reaches every address that the API server reaches.
    """
    found = api.get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{rights}")["rules"]
    kept = []
    for rule in found:
        resources = [name for name in rule.get("resources", ()) if name not in WAYS_OUT]
        if resources:
            kept.append({**rule, "resources": resources})
    return kept


def _keep_in(api: Api, lease: Lease, real: str) -> None:
    """What a candidate may start there reaches the lease's namespaces and names, where the cluster enforces that."""
    own = [{"namespaceSelector": {"matchLabels": {LEASE: lease.name}}}]
    names = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "attempt"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": own}, {"ports": names}],
        },
    }
    api.create(f"/apis/networking.k8s.io/v1/namespaces/{real}/networkpolicies", policy)


def _bind(kind: str, role_kind: str, role: str, lease: Lease) -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": role, "labels": {LEASE: lease.name}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": lease.control}],
    }


def _describe_rule(rule: Rule) -> Object:
    names = {"resourceNames": list(rule.names)} if rule.names else {}
    return {"apiGroups": list(rule.groups), "resources": list(rule.resources), "verbs": list(rule.verbs), **names}


def _grant_cluster_rights(api: Api, lease: Lease, cluster: Cluster) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": lease.name, "labels": {LEASE: lease.name}},
        "rules": [_describe_rule(rule) for rule in cluster.rights],
    }
    api.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    binding = _bind("ClusterRoleBinding", "ClusterRole", lease.name, lease)
    api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)


def await_account(api: Api, namespace: str) -> None:
    """Wait for the account without which a namespace takes no pods; the cluster makes it.

    Raises:
        EngineTrouble: it does not come.
    """
    deadline = time.monotonic() + PATIENCE
    while not _is_furnished(api.find(f"/api/v1/namespaces/{namespace}/serviceaccounts/default"), api):
        if time.monotonic() > deadline:
            raise EngineTrouble(
                f"namespace {namespace} got no default account within {PATIENCE:g} s",
                hint="does the cluster's controller manager run?",
                cause="cluster",
                retries=1,
            )
        time.sleep(0.03)


def _is_furnished(account: Object | None, api: Api) -> bool:
    """Whether pods can have the account; clusters before 1.24 give each a secret, without which they take no pods."""
    return account is not None and bool(account.get("secrets") or not api.gives_secrets)


def make_kubeconfig(api: Api, lease: Lease, cluster: Cluster, authority: str) -> str:
    """A kubeconfig for the candidate: its account's token, valid for two hours, and the first namespace.

    Args:
        api: the cluster, as we are.
        lease: whose account it is.
        cluster: which namespace is the first.
        authority: the cluster's certificate, in PEM.
    """
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS},
    }
    path = f"/api/v1/namespaces/{lease.control}/serviceaccounts/{ACCOUNT}/token"
    token = api.create(path, request)["status"]["token"]
    server = {
        "server": "https://kubernetes.default.svc",
        "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
    }
    first = lease.namespaces[cluster.namespaces[0].name]
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": server}],
            "users": [{"name": ACCOUNT, "user": {"token": token}}],
            "contexts": [{"name": "attempt", "context": {"cluster": "cluster", "user": ACCOUNT, "namespace": first}}],
            "current-context": "attempt",
        }
    )


def release_lease(api: Api, namespaces: Sequence[str], lease: str) -> None:
    """Begin to remove namespaces and rights; returns at once.

    What is in no namespace goes first: by the namespaces a sweep finds what this process did not come to remove. A
    namespace that is being removed takes no new pods, so that its pods can be ended without grace after that.
    """
    assert lease  # without a name it would be all of them
    assert all(namespaces)
    deadline = time.monotonic() + GONE_WITHIN  # a cluster that does not answer is not asked for ever
    roots = [f"/api/v1/namespaces/{name}" for name in namespaces]
    rights = [f"/apis/rbac.authorization.k8s.io/v1/{kind}/{lease}" for kind in ("clusterrolebindings", "clusterroles")]
    things: list[tuple[str, Object | None]] = [(path, None) for path in (*rights, *roots)]
    things += [(f"{root}/pods", dict(GRACELESS)) for root in roots]
    for path, body in things:
        with suppress(AttemptInvalid, Refused):
            if time.monotonic() < deadline:
                api.delete(path, body=body)


def await_gone(api: Api, namespaces: Sequence[str], within: float = GONE_WITHIN) -> list[str]:
    """Wait until namespaces are really gone; gives those that are not."""
    deadline, left = time.monotonic() + within, list(namespaces)
    while left and time.monotonic() < deadline:
        try:
            left = [name for name in left if api.find(f"/api/v1/namespaces/{name}") is not None]
        except (AttemptInvalid, Refused):
            return left
        if left:
            time.sleep(0.3)
    return left
