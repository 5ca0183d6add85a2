"""What stands in a cluster, and how it differs from what stood there before."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from typing import Any

from pytest_itbench.environments.kubernetes.api import Api, Object, Resource

GROUPS = frozenset({"", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io"})
"""Whose objects somebody writes; what other groups have, such as metrics and a network's own, the cluster writes."""
GROUPS_OF_CLUSTER = GROUPS | {
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
}
# What the cluster itself writes, which says nothing about what somebody changed.
PASSING = frozenset({"events", "endpoints", "componentstatuses", "controllerrevisions"})
PASSING_OF_CLUSTER = PASSING | {"namespaces", "ipaddresses", "servicecidrs", "csinodes", "volumeattachments"}
OWNED = frozenset({"Pod", "ReplicaSet", "Job"})
"""Kinds that controllers make. Of any other, an owner is but a claim, which a candidate may write as well."""
METADATA = ("labels", "annotations", "finalizers")
OWN_ANNOTATIONS = re.compile(
    r"deployment\.kubernetes\.io/revision|kubectl\.kubernetes\.io/(last-applied-configuration|restartedAt)"
    r"|deprecated\.daemonset\.template\.generation|control-plane\.alpha\.kubernetes\.io/.*"
    r"|node\.alpha\.kubernetes\.io/.*|volumes\.kubernetes\.io/.*|pv\.kubernetes\.io/.*"
    r"|autoscaling\.alpha\.kubernetes\.io/.*|kubernetes\.io/change-cause"
)
TOKEN = "kubernetes.io/service-account-token"  # noqa: S105  # a type's name
SERVICE = "Service"
CLUSTER_NAMESPACES = ("default", "kube-system", "kube-public")
AT_ONCE = 8

State = dict[str, Object]
"""Objects by ``namespace/Kind/name``; of the whole cluster by ``Kind/name``."""


def take_state(api: Api, namespaces: Mapping[str, str]) -> State:
    """Everything that somebody put into namespaces; they are named as the scenario does (`namespaces`: real names)."""
    resources = [
        each for each in api.resources if each.namespaced and each.group in GROUPS and each.plural not in PASSING
    ]
    wanted = [(alias, real, each) for alias, real in namespaces.items() for each in resources]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda each: list(_list(api, each[2], each[1], f"{each[0]}/")), wanted)
        return {name: _forget_address(name, thing) for part in found for name, thing in part}


def take_cluster_state(api: Api, kinds: Collection[str], skip: Sequence[str] = ()) -> State:
    """What belongs to the whole cluster, and stands in its own namespaces.

    Args:
        api: the cluster.
        kinds: which kinds, in the plural; ``*`` is all.
        skip: how names begin that do not count.
    """
    resources = [
        each
        for each in api.resources
        if each.group in GROUPS_OF_CLUSTER
        and each.plural not in PASSING_OF_CLUSTER
        and ("*" in kinds or each.plural in kinds)
    ]
    state: State = {}
    for each in resources:
        for namespace in CLUSTER_NAMESPACES if each.namespaced else ("",):
            state |= dict(_list(api, each, namespace, f"{namespace}/" if namespace else ""))
    return {name: thing for name, thing in state.items() if not name.rpartition("/")[2].startswith(tuple(skip))}


def _list(api: Api, resource: Resource, namespace: str, prefix: str) -> Iterator[tuple[str, Object]]:
    items = (api.find(resource.path(namespace)) or {}).get("items", ())
    for item in items:
        owners = item["metadata"].get("ownerReferences", ())
        owned = resource.kind in OWNED and any(owner.get("controller") for owner in owners)
        if owned or item.get("type") == TOKEN:
            continue
        yield f"{prefix}{resource.kind}/{item['metadata']['name']}", strip(item)


def strip(item: Object) -> Object:
    """An object without what the cluster writes into it."""
    metadata = {name: item["metadata"][name] for name in METADATA if item["metadata"].get(name)}
    kept = {
        name: value for name, value in metadata.get("annotations", {}).items() if not OWN_ANNOTATIONS.fullmatch(name)
    }
    metadata["annotations"] = kept
    rest = {name: value for name, value in item.items() if name not in ("metadata", "status", "apiVersion", "kind")}
    rest.pop("secrets", None)  # of a service account: the tokens that the cluster made
    template = rest.get("spec", {}).get("template", {}) if isinstance(rest.get("spec"), dict) else {}
    marks = (template.get("metadata") or {}).get("annotations") or {} if isinstance(template, dict) else {}
    for name in [name for name in marks if OWN_ANNOTATIONS.fullmatch(name)]:
        del marks[name]
    return {"metadata": metadata, **rest}


def _forget_address(name: str, thing: Object) -> Object:
    """A service that was made anew has another address, which nobody chose; that it has none was chosen."""
    if f"/{SERVICE}/" in name and thing["spec"].get("clusterIP") != "None":
        spec = {key: value for key, value in thing["spec"].items() if key not in ("clusterIP", "clusterIPs")}
        return {**thing, "spec": spec}
    return thing


def find_differences(before: State, after: State) -> list[str]:
    """What was made, removed or changed: ``namespace/Kind/name`` with ``: made``, ``: removed`` or a field's path."""
    found = [f"{name}: removed" for name in before if name not in after]
    found += [f"{name}: made" for name in after if name not in before]
    for name in before.keys() & after.keys():
        found += [f"{name}: {path}" for path in compare(before[name], after[name])]
    return sorted(found)


def compare(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The paths at which two objects differ, as in ``spec.template.spec.containers[web].image``."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) in (None, {}, [], "") and new.get(key) in (None, {}, [], ""):
                continue
            yield from compare(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(old, new, path)
    elif old != new:
        yield path


def _compare_lists(old: list[Any], new: list[Any], path: str) -> Iterator[str]:
    named, others = _by_name(old), _by_name(new)
    if named is None or others is None:
        if old != new:
            yield path
        return
    for name in sorted(named.keys() | others.keys()):
        yield from compare(named.get(name), others.get(name), f"{path}[{name}]")


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    """Items by their name, if all have one, as containers and variables do."""
    if not all(isinstance(item, dict) and "name" in item for item in items):
        return None
    found = {item["name"]: item for item in items}
    return found if len(found) == len(items) else None


def find_unexpected(differences: Iterable[str], allowed: Sequence[str]) -> list[str]:
    """The differences that match none of the patterns (``*`` stands for anything)."""
    patterns = [pattern.replace("[", "[[]") for pattern in allowed]
    return [each for each in differences if not any(fnmatchcase(each, pattern) for pattern in patterns)]
