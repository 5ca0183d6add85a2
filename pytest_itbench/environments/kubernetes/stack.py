"""Manifests of a scenario in its lease: names of namespaces and images put in, applied, waited for."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import yaml

from pytest_itbench.domain.scenario import Cluster
from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.environments.kubernetes.guard import describe_waiting
from pytest_itbench.environments.kubernetes.lease import Lease
from pytest_itbench.errors import NotReady

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
PLACEHOLDER = re.compile(r"@([a-z0-9-]+)@")
AT_ONCE = 4
DECIMAL = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
SIZES = DECIMAL | {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}


@cache
def read_manifests(path: Path) -> tuple[Object, ...]:
    """The objects of a file of ours."""
    return tuple(each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each)


def find_objects(cluster: Cluster) -> Iterator[tuple[str, Path, Object]]:
    """Every object of a scenario with the namespace that it is for, as the scenario calls it, and its file."""
    first = cluster.namespaces[0].name
    for path in cluster.stack.manifests if cluster.stack else ():
        for each in read_manifests(path):
            yield each["metadata"].get("namespace", first), path, each
    for namespace in cluster.namespaces:
        for path in namespace.manifests:
            for each in read_manifests(path):
                yield each["metadata"].get("namespace", namespace.name), path, each


def render(manifest: Object, namespace: str, lease: Lease, images: Mapping[str, str]) -> Object:
    """A manifest for one lease: real names of namespaces, and of images."""

    def name(match: re.Match[str]) -> str:
        return lease.namespaces.get(match[1], match[0])

    def walk(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {part: walk(inner, part) for part, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        if isinstance(value, str):
            return images[value] if key == "image" and value in images else PLACEHOLDER.sub(name, value)
        return value

    rendered = walk(manifest)
    assert isinstance(rendered, dict)
    rendered["metadata"]["namespace"] = lease.namespaces[namespace]
    return rendered


def apply_all(api: Api, cluster: Cluster, lease: Lease, images: Mapping[str, str]) -> None:
    """Apply everything, file by file.

    Raises:
        NotReady: the cluster refuses an object.
    """
    files: dict[Path, list[tuple[str, Object]]] = {}
    for namespace, path, manifest in find_objects(cluster):
        if namespace not in lease.namespaces:
            raise NotReady(f"{path}: {manifest['kind']} is for a namespace {namespace!r} that the scenario lacks")
        files.setdefault(path, []).append((namespace, manifest))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, found in files.items():
            for problem in pool.map(lambda each: _apply(api, lease, images, *each), found):
                if problem:
                    raise NotReady(f"{path}: {problem}")


def _apply(api: Api, lease: Lease, images: Mapping[str, str], namespace: str, manifest: Object) -> str:
    try:
        api.apply(render(manifest, namespace, lease, images), lease.namespaces[namespace])
    except Refused as refused:
        return f"{manifest['kind']} {manifest['metadata']['name']}: {refused}"
    return ""


def find_unready(api: Api, namespaces: tuple[str, ...]) -> list[str]:
    """Deployments and their like that are not what they should be, as ``namespace/name``."""
    unready = []
    for namespace in namespaces:
        for plural in ("deployments", "statefulsets", "daemonsets"):
            items = api.get(f"/apis/apps/v1/namespaces/{namespace}/{plural}")["items"]
            unready += [f"{namespace}/{each['metadata']['name']}" for each in items if not is_ready(each)]
    return unready


def is_ready(workload: Object) -> bool:
    """Whether all of its pods are there, of its latest form, and ready."""
    status = workload.get("status", {})
    wanted = workload["spec"].get("replicas", status.get("desiredNumberScheduled", 1))
    ready = status.get("availableReplicas", status.get("readyReplicas", status.get("numberReady", 0)))
    updated = status.get("updatedReplicas", status.get("updatedNumberScheduled", wanted if not wanted else 0))
    seen = status.get("observedGeneration", 0) >= workload["metadata"]["generation"]
    return bool(seen and ready >= wanted and updated >= wanted and status.get("replicas", wanted) <= wanted)


def await_ready(api: Api, namespaces: tuple[str, ...], timeout: float) -> None:
    """Wait until everything runs.

    Raises:
        NotReady: it does not in time; the text says what the pods wait for.
    """
    deadline = time.monotonic() + timeout
    while unready := find_unready(api, namespaces):
        if time.monotonic() > deadline:
            pods = [pod for name in namespaces for pod in api.get(f"/api/v1/namespaces/{name}/pods")["items"]]
            raise NotReady(
                f"not ready within {timeout:g} s: {', '.join(unready)}; {describe_waiting(pods)}",
                cause="slow start",
                retries=1,
            )
        time.sleep(0.4)


def measure_pods(cluster: Cluster) -> dict[str, float]:
    """What the pods of a scenario may use together: ``memory`` (bytes, limits), ``cpus`` (requests), ``pods``."""
    found = {"memory": 0.0, "cpus": 0.0, "pods": 0.0}
    for _, _, manifest in find_objects(cluster):
        if manifest["kind"] in WORKLOADS:
            replicas = manifest["spec"].get("replicas", 1)
            found["pods"] += replicas
            for container in manifest["spec"]["template"]["spec"]["containers"]:
                resources = container.get("resources", {})
                found["memory"] += replicas * _find_amount(resources, "limits", "memory")
                found["cpus"] += replicas * _find_amount(resources, "requests", "cpu")
    return found


def _find_amount(resources: Mapping[str, Mapping[str, str]], part: str, name: str) -> float:
    return parse_quantity(str(resources.get(part, {}).get(name, "0")))


def parse_quantity(text: str) -> float:
    """A quantity of Kubernetes, such as 250m or 64Mi, as a number."""
    match = re.fullmatch(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)", text)
    assert match, f"{text!r} is no quantity"
    return float(match[1]) * SIZES[match[2]]
