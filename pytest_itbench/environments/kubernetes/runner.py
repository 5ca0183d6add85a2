"""The pod from which a candidate is run: it holds the candidate, its kubeconfig, and a way to the API server alone."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pytest_itbench.domain.application import Application
from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.environments.kubernetes.guard import ANYWHERE, describe_waiting
from pytest_itbench.environments.kubernetes.lease import GRACELESS
from pytest_itbench.environments.kubernetes.lookout import OWN_EXCESS
from pytest_itbench.errors import EngineTrouble

OUTPUT_LIMIT = 1024**2 * 2
START_WITHIN = 120.0
SLACK = 15.0
"""Seconds after which the cluster ends a pod whose time was up, if we do not."""
RESULT = "collected_data.json"
LIMITS = {"cpu": "1", "memory": "512Mi", "ephemeral-storage": "512Mi"}
REQUESTS = {"cpu": "20m", "memory": "64Mi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a pod is to do.

    Attributes:
        namespace: where the pod is; the candidate has no rights there.
        command: what is run, by a user who is not root.
        files: what lies in ``/candidate``, by name.
        seconds: how long it may take.
        environment: variables.
    """

    namespace: str
    command: tuple[str, ...]
    files: dict[str, str]
    seconds: float
    environment: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How pods reach the API server: its service's address, and all places (address:port) behind it."""

    service: str
    places: tuple[str, ...]


def find_access(api: Api) -> Access:
    """Look up the API server's service and endpoints."""
    service = api.get("/api/v1/namespaces/default/services/kubernetes")["spec"]
    subsets = api.get("/api/v1/namespaces/default/endpoints/kubernetes")["subsets"]
    places = [f"{service['clusterIP']}:{port['port']}" for port in service["ports"]]
    places += [
        f"{address['ip']}:{port['port']}"
        for subset in subsets
        for address in subset["addresses"]
        for port in subset["ports"]
    ]
    return Access(service=service["clusterIP"], places=tuple(places))


def run_errand(api: Api, errand: Errand, image: str, access: Access) -> tuple[Application, str | None]:
    """Run a pod to its end; gives what became of it, and the file that it left, if any.

    Raises:
        EngineTrouble: the pod does not start.
    """
    name, mark = f"candidate-{secrets.token_hex(3)}", secrets.token_hex(16)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": errand.files}
    root = f"/api/v1/namespaces/{errand.namespace}"
    started = time.monotonic()
    try:
        api.create(f"{root}/secrets", secret)
        api.create(f"{root}/pods", _describe_pod(name, mark, errand, image, access))
    except Refused as refused:
        raise EngineTrouble(f"the candidate's pod cannot be made: {refused}", cause="candidate pod") from refused
    try:
        pod = _await_end(api, f"{root}/pods/{name}", errand.seconds)
        output = _read_log(api, f"{root}/pods/{name}")
    finally:
        with suppress(Refused, EngineTrouble):
            api.delete(f"{root}/pods/{name}", body=dict(GRACELESS))
    said, result = split_result(output, mark)
    status, note = _read_status(pod, errand.seconds)
    application = Application(status=status, output=said + note, events=(), seconds=time.monotonic() - started)
    return application, result


def split_result(output: str, mark: str) -> tuple[str, str | None]:
    """What a candidate printed, and the file that it left."""
    said, found, rest = output.rpartition(f"\n{mark}\n")
    if not found:
        return output, None
    try:
        return said, base64.b64decode(rest.strip(), validate=True).decode(errors="replace")
    except (ValueError, binascii.Error):
        return said, None


def _describe_pod(name: str, mark: str, errand: Errand, image: str, access: Access) -> Object:
    variables = {"MARK": mark, "RESULT": RESULT, **errand.environment}
    wall = {
        "name": "wall",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "/opt/itbench/wall.sh", *access.places],
        "securityContext": {"runAsUser": 0, "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}},
        "resources": {"limits": LIMITS, "requests": REQUESTS},
    }
    candidate = {
        "name": "candidate",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", "/opt/itbench/run.sh", *errand.command],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "workingDir": "/home/ops/work",
        "resources": {"limits": LIMITS, "requests": REQUESTS},
        "securityContext": {
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "candidate", "mountPath": "/candidate", "readOnly": True},
            {"name": "home", "mountPath": "/home/ops"},
            {"name": "work", "mountPath": "/home/ops/work"},
            {"name": "temporary", "mountPath": "/tmp"},  # noqa: S108  # the pod's own
        ],
    }
    space: Object = {"sizeLimit": "256Mi"}
    spec = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": int(START_WITHIN + errand.seconds + SLACK),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["127.0.0.1"]},
        "hostAliases": [{"ip": access.service, "hostnames": ["kubernetes.default.svc"]}],
        "securityContext": {"fsGroup": 1000},
        # It runs on a node that takes no other pods, too: its candidate may be there to change that.
        **ANYWHERE,
        "initContainers": [wall],
        "containers": [candidate],
        "volumes": [
            {"name": "candidate", "secret": {"secretName": name, "defaultMode": 0o444}},
            *({"name": each, "emptyDir": dict(space)} for each in ("home", "work", "temporary")),
        ],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _await_end(api: Api, path: str, seconds: float) -> Object | None:
    """The pod when it has ended; None when its time was up, which begins when it runs."""
    begun = time.monotonic()
    running: float | None = None
    while True:
        pod: Object | None = api.find(path)
        if pod is None:
            raise EngineTrouble("the candidate's pod is gone", cause="candidate pod", retries=1)
        phase = pod["status"].get("phase")
        if phase in ("Succeeded", "Failed"):
            return pod
        now = time.monotonic()
        if phase == "Running" and running is None:
            running = now
        if running is None and now - begun > START_WITHIN:
            waits = describe_waiting([pod])
            raise EngineTrouble(
                f"the candidate's pod did not start within {START_WITHIN:g} s: {waits}",
                hint="is its image on the cluster's nodes? pytest-itbench doctor",
                cause="candidate pod",
                retries=1,
            )
        if running is not None and now - running > seconds:
            return None
        time.sleep(0.15)


def _read_log(api: Api, path: str) -> str:
    try:
        return api.request("GET", f"{path}/log", query={"container": "candidate", "limitBytes": OUTPUT_LIMIT})
    except Refused:  # it never began
        return ""


def _read_status(pod: Object | None, seconds: float) -> tuple[int | None, str]:
    """The exit status and what the cluster says of the end."""
    states: Sequence[Object] = pod["status"].get("containerStatuses", ()) if pod else ()
    reason = pod["status"].get("reason", "") if pod else ""
    if pod is None or (reason == "DeadlineExceeded" and any(map(_has_begun, states))):
        return None, f"\nended after {seconds:g} s, its time limit\n"
    said = str(pod["status"].get("message", ""))
    if reason == "Evicted" and OWN_EXCESS.search(said):
        return 137, f"\nended by the cluster: {said}\n"
    if reason and states:  # a pod that ends by itself has none
        raise EngineTrouble(
            f"the cluster ended the candidate's pod: {reason} {said}".strip(), cause="candidate pod", retries=1
        )
    ended = next((each["state"]["terminated"] for each in states if "terminated" in each.get("state", {})), None)
    if ended is None:
        why = pod["status"].get("message") or pod["status"].get("reason") or "nobody says why"
        failed = next(
            (
                each["state"]["terminated"].get("message", each["name"])
                for each in pod["status"].get("initContainerStatuses", ())
                if each.get("state", {}).get("terminated", {}).get("exitCode")
            ),
            "",
        )
        raise EngineTrouble(f"the candidate's pod failed before it began: {why} {failed}", cause="candidate pod")
    reason = ended.get("reason", "")
    note = f"\nended by the cluster: {reason}\n" if reason not in ("Completed", "Error", "") else ""
    return int(ended["exitCode"]), note


def _has_begun(container: Object) -> bool:
    return bool({"running", "terminated"} & container.get("state", {}).keys())
