"""Faults: how each kind is made, and how it is seen that it took hold."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pytest_itbench.domain.scenario import Fault
from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.environments.kubernetes.exec import run_told
from pytest_itbench.environments.kubernetes.lease import Lease
from pytest_itbench.environments.kubernetes.stack import is_ready, read_manifests, render
from pytest_itbench.errors import NotReady

TAKES_HOLD_WITHIN = 45.0
COMMAND_SECONDS = 60.0
STEP = 0.2
RESTARTED = "kubectl.kubernetes.io/restartedAt"

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a fault is made."""

    api: Api
    lease: Lease
    images: Mapping[str, str]
    namespace: str

    def path(self, plural: str, name: str) -> str:
        """The address of an object of the usual kinds."""
        root = "/apis/apps/v1" if plural == "deployments" else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}/{name}"

    def change(self, plural: str, name: str, patch: Object) -> None:
        """Change an object (strategic merge)."""
        self.api.patch(self.path(plural, name), patch)

    def deployment(self, given: Given) -> Object:
        """The deployment that a fault is about."""
        found: Object = self.api.get(self.path("deployments", given["deployment"]))
        return found

    def change_pods(self, given: Given, spec: Object) -> None:
        """Change what a deployment's pods are."""
        self.change("deployments", given["deployment"], {"spec": {"template": {"spec": spec}}})

    def change_container(self, given: Given, change: Object, group: str = "containers") -> None:
        """Change the first container of a deployment's pods."""
        containers = self.deployment(given)["spec"]["template"]["spec"].get(group)
        if not containers:
            raise NotReady(f"deployment {given['deployment']} has no {group}")
        self.change_pods(given, {group: [{"name": containers[0]["name"], **change}]})

    def restart(self, given: Given) -> None:
        """Start deployments anew."""
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        for name in given["restart"]:
            mark = {"metadata": {"annotations": {RESTARTED: stamp}}}
            self.change("deployments", name, {"spec": {"template": mark}})


def scale_to_zero(ground: Ground, given: Given) -> None:
    """No replicas."""
    ground.change("deployments", given["deployment"], {"spec": {"replicas": 0}})


def set_image(ground: Ground, given: Given) -> None:
    """Another image."""
    ground.change_container(given, {"image": given["image"]})


def set_command(ground: Ground, given: Given) -> None:
    """Another command."""
    ground.change_container(given, {"command": given["command"], "args": None})


def set_variable(ground: Ground, given: Given) -> None:
    """Another value of a variable."""
    ground.change_container(given, {"env": [{"name": given["variable"], "value": given["value"], "valueFrom": None}]})


def set_readiness_path(ground: Ground, given: Given) -> None:
    """A readiness probe that asks for something else."""
    container = ground.deployment(given)["spec"]["template"]["spec"]["containers"][0]
    if "httpGet" not in container.get("readinessProbe", {}):
        raise NotReady(f"deployment {given['deployment']} has no readiness probe by HTTP")
    ground.change_container(given, {"readinessProbe": {"httpGet": {"path": given["path"]}}})


def set_init_command(ground: Ground, given: Given) -> None:
    """Another command of the first init container."""
    ground.change_container(given, {"command": given["command"], "args": None}, "initContainers")


def set_requests(ground: Ground, given: Given) -> None:
    """Requests (and limits, which must not be lower) that no node has."""
    wanted = {name: given[name] for name in ("cpu", "memory") if given[name]}
    ground.change_container(given, {"resources": {"requests": wanted, "limits": wanted}})


def set_dns_policy(ground: Ground, given: Given) -> None:
    """Names are asked elsewhere."""
    spec: Object = {"dnsPolicy": given["policy"]}
    if given["policy"] == "None":
        spec["dnsConfig"] = {"nameservers": ["192.0.2.53"]}
    ground.change_pods(given, spec)


def mount_missing_claim(ground: Ground, given: Given) -> None:
    """A volume whose claim does not exist."""
    claim = given["claim"]
    ground.change_pods(given, {"volumes": [{"name": claim, "persistentVolumeClaim": {"claimName": claim}}]})
    ground.change_container(given, {"volumeMounts": [{"name": claim, "mountPath": f"/mnt/{claim}"}]})


def select_node(ground: Ground, given: Given) -> None:
    """Labels that no node has."""
    ground.change_pods(given, {"nodeSelector": given["labels"]})


def repel_replicas(ground: Ground, given: Given) -> None:
    """More replicas than there are nodes, which must not share one."""
    labels = ground.deployment(given)["spec"]["selector"]["matchLabels"]
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    ground.change("deployments", given["deployment"], {"spec": {"replicas": given["replicas"]}})
    ground.change_pods(given, {"affinity": affinity})


def set_target_port(ground: Ground, given: Given) -> None:
    """The first port of a service leads elsewhere."""
    path = ground.path("services", given["service"])
    operation = {"op": "replace", "path": "/spec/ports/0/targetPort", "value": given["port"]}
    ground.api.request("PATCH", path, body=[operation], content="application/json-patch+json")


def set_selector(ground: Ground, given: Given) -> None:
    """The service selects by other labels."""
    ground.change("services", given["service"], {"spec": {"selector": given["labels"]}})


def delete_service(ground: Ground, given: Given) -> None:
    """The service is removed."""
    ground.api.delete(ground.path("services", given["service"]))


def set_quota(ground: Ground, given: Given) -> None:
    """A quota, and pods that are made under it."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": given["quota"]},
        "spec": {"hard": given["hard"]},
    }
    ground.api.apply(quota, ground.namespace)
    ground.restart(given)


def set_secret(ground: Ground, given: Given) -> None:
    """Another value of a secret's key."""
    value = base64.b64encode(given["value"].encode()).decode()
    ground.change("secrets", given["secret"], {"data": {given["key"]: value}})
    ground.restart(given)


def set_configuration(ground: Ground, given: Given) -> None:
    """Another value of a ConfigMap's key."""
    ground.change("configmaps", given["configmap"], {"data": {given["key"]: given["value"]}})
    ground.restart(given)


def cordon(ground: Ground, given: Given) -> None:
    """Close all nodes."""
    for node in ground.api.get("/api/v1/nodes")["items"]:
        ground.api.patch(f"/api/v1/nodes/{node['metadata']['name']}", {"spec": {"unschedulable": True}})
    ground.restart(given)


def apply_objects(ground: Ground, given: Given) -> None:
    """More objects."""
    alias = next(name for name, real in ground.lease.namespaces.items() if real == ground.namespace)
    for manifest in read_manifests(given["manifest"]):
        ground.api.apply(render(manifest, alias, ground.lease, ground.images), ground.namespace)


def run_command(ground: Ground, given: Given) -> None:
    """A command in a pod of a deployment."""
    labels = ground.deployment(given)["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    pods = ground.api.get(f"/api/v1/namespaces/{ground.namespace}/pods", labelSelector=selector)["items"]
    status, output = run_told(ground.api, ground.namespace, pods[0], given["command"], COMMAND_SECONDS)
    if status:
        raise NotReady(f"fault command in {given['deployment']} ended with status {status}: {output[-500:]}")


def is_unavailable(ground: Ground, given: Given) -> bool:
    """The deployment is not what it should be."""
    return not is_ready(ground.deployment(given))


def is_empty(ground: Ground, given: Given) -> bool:
    """The deployment has no pods."""
    return not ground.deployment(given).get("status", {}).get("replicas")


def has_no_endpoints(ground: Ground, given: Given) -> bool:
    """Nobody stands behind the service."""
    found = ground.api.find(ground.path("endpoints", given["service"]))
    return not any(subset.get("addresses") for subset in (found or {}).get("subsets") or ())


def are_restarted(ground: Ground, given: Given) -> bool:
    """What was started anew was seen by the cluster."""
    for name in given["restart"]:
        found = ground.api.get(ground.path("deployments", name))
        if found.get("status", {}).get("observedGeneration", 0) < found["metadata"]["generation"]:
            return False
    return True


def is_stuck(ground: Ground, given: Given) -> bool:
    """At least one deployment that was started anew is not what it should be."""
    return any(is_unavailable(ground, {"deployment": name}) for name in given["restart"])


def is_at_once(ground: Ground, given: Given) -> bool:
    """It holds as soon as it is made."""
    del ground, given
    return True


def is_renewed(ground: Ground, given: Given) -> bool:
    """The changed deployment has no pod of its earlier form: a service that still runs, but wrongly."""
    found = ground.deployment(given)
    status = found.get("status", {})
    seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    return bool(seen and status.get("updatedReplicas", 0))


@dataclass(frozen=True, slots=True)
class Injector:
    """How a fault is made, and what shows that it took hold."""

    inject: Callable[[Ground, Given], None]
    holds: Callable[[Ground, Given], bool]


INJECTORS: Mapping[str, Injector] = {
    "scaled-to-zero": Injector(scale_to_zero, is_empty),
    "missing-image": Injector(set_image, is_unavailable),
    "wrong-command": Injector(set_command, is_unavailable),
    "wrong-environment": Injector(set_variable, is_renewed),
    "failing-readiness-probe": Injector(set_readiness_path, is_unavailable),
    "crashing-init-container": Injector(set_init_command, is_unavailable),
    "hanging-init-container": Injector(set_init_command, is_unavailable),
    "excessive-requests": Injector(set_requests, is_unavailable),
    "wrong-dns-policy": Injector(set_dns_policy, is_renewed),
    "missing-volume-claim": Injector(mount_missing_claim, is_unavailable),
    "impossible-node": Injector(select_node, is_unavailable),
    "repelled-replicas": Injector(repel_replicas, is_unavailable),
    "wrong-target-port": Injector(set_target_port, is_at_once),
    "wrong-selector": Injector(set_selector, has_no_endpoints),
    "deleted-service": Injector(delete_service, has_no_endpoints),
    "exhausted-quota": Injector(set_quota, is_stuck),
    "corrupted-secret": Injector(set_secret, are_restarted),
    "rotated-password": Injector(set_secret, are_restarted),
    "wrong-configuration": Injector(set_configuration, are_restarted),
    "feature-flag": Injector(set_configuration, are_restarted),
    "cordoned-node": Injector(cordon, is_stuck),
    "objects": Injector(apply_objects, is_at_once),
    "command": Injector(run_command, is_at_once),
}


def inject(api: Api, lease: Lease, images: Mapping[str, str], faults: Sequence[Fault]) -> None:
    """Make all faults, then wait until each took hold.

    Raises:
        NotReady: one cannot be made, or does not take hold.
    """
    grounds = [(fault, Ground(api, lease, images, lease.namespaces[fault.parameters["namespace"]])) for fault in faults]
    for fault, ground in grounds:
        try:
            INJECTORS[fault.kind].inject(ground, fault.parameters)
        except Refused as refused:
            raise NotReady(f"fault {fault.kind} {_describe(fault)} cannot be made: {refused}") from refused
    deadline = time.monotonic() + TAKES_HOLD_WITHIN
    for fault, ground in grounds:
        while not INJECTORS[fault.kind].holds(ground, fault.parameters):
            if time.monotonic() > deadline:
                raise NotReady(
                    f"fault {fault.kind} {_describe(fault)} did not take hold within {TAKES_HOLD_WITHIN:g} s",
                    cause="no symptom",
                    retries=1,
                )
            time.sleep(STEP)


def _describe(fault: Fault) -> str:
    return json.dumps({name: value for name, value in fault.parameters.items() if value}, default=str)
