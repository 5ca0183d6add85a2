"""What a cluster knows of a pod with which there is trouble."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass

from pytest_itbench.environments.docker.blame import Evidence, Sign
from pytest_itbench.environments.docker.guard import Seen
from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.environments.kubernetes.exec import run_in_pod
from pytest_itbench.environments.kubernetes.guard import NAME as GUARD
from pytest_itbench.environments.kubernetes.lease import LABEL, RUN
from pytest_itbench.environments.kubernetes.machines import CONTAINER
from pytest_itbench.errors import EngineTrouble

LINES = 400
SETTLED = 6.0
"""Seconds within which a node tells that a container ended."""
STEP = 0.3
PROBE_TIMEOUT = 10.0
OWN_EXCESS = re.compile(r"exceed(s|ed)\b.*\blimit", re.IGNORECASE)
"""How a node says that a pod used more than its own limits; a node that runs short has other words."""
LOST = "ContainerStatusUnknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a pod's object tells.

    Attributes:
        status: with which its machine ended; None when it runs or nobody knows.
        over_limit: what it used too much of.
        trouble: what the cluster did to it; empty when nothing.
    """

    running: bool
    status: int | None = None
    over_limit: str = ""
    trouble: str = ""


def read_condition(pod: Object, node: Object | None) -> Condition:
    """Tell a machine's own end from what the cluster did to it.

    Args:
        pod: the pod.
        node: where it is; None when there is no such node any more.
    """
    status = pod.get("status", {})
    states = {each["name"]: each.get("state", {}) for each in status.get("containerStatuses", ())}
    machine = states.get(CONTAINER, {})
    ended = machine.get("terminated") or {}
    said = str(status.get("message", ""))
    over_limit = "its memory" if ended.get("reason") == "OOMKilled" else ""
    if status.get("reason") == "Evicted" and OWN_EXCESS.search(said):
        over_limit = f"its disk: {said}"
    return Condition(
        running="running" in machine,
        status=ended.get("exitCode"),
        over_limit=over_limit,
        trouble="" if over_limit else _find_trouble(pod, node, str(ended.get("reason", ""))),
    )


def _find_trouble(pod: Object, node: Object | None, ended: str) -> str:
    status = pod.get("status", {})
    if status.get("reason"):  # pods that end by themselves have none
        return f"{status['reason']}: {status.get('message', '')}".strip(": ")
    if "deletionTimestamp" in pod["metadata"]:
        return "somebody removes the pod"
    if ended == LOST:
        return "the node lost sight of the container"
    if node is None:
        return "its node is gone"
    conditions = node["status"].get("conditions", ())
    unready = next((each for each in conditions if each["type"] == "Ready" and each["status"] != "True"), None)
    return f"its node is not ready: {unready.get('message', '')}" if unready else ""


class ClusterWitness:
    """The guard of the run, which no candidate can reach: what happens to it, the cluster has done."""

    def __init__(self, api: Api, run: str) -> None:
        self._api, self._run = api, run

    def find_start(self) -> str:
        """Which pod it is and how often it was started; empty when there is none."""
        pod = self._find_pod()
        if pod is None:
            return ""
        return " ".join([pod["metadata"]["uid"], *(str(each["restartCount"]) for each in _statuses(pod))])

    def accepts(self) -> bool:
        """Whether the cluster runs commands in it."""
        try:
            pod = self._find_pod()
            if pod is None:
                return False
            place = pod["metadata"]
            done = run_in_pod(self._api, place["namespace"], place["name"], GUARD, ["true"], timeout=PROBE_TIMEOUT)
        except EngineTrouble:
            return False
        return done.status == 0

    def _find_pod(self) -> Object | None:
        with suppress(Refused, EngineTrouble):
            selector = f"{LABEL}={GUARD},{RUN}={self._run}"
            for namespace in self._api.get("/api/v1/namespaces", labelSelector=selector)["items"]:
                name = namespace["metadata"]["name"]
                for pod in self._api.get(f"/api/v1/namespaces/{name}/pods")["items"]:
                    found: Object = pod
                    return found
        return None


def _statuses(pod: Object) -> list[Object]:
    return list(pod.get("status", {}).get("containerStatuses", ()))


class PodLookout:
    """Implements `docker.guard.Lookout` for the pods of one namespace."""

    def __init__(self, api: Api, namespace: str, witness: ClusterWitness) -> None:
        self._api, self._namespace, self._witness = api, namespace, witness
        self._begun = witness.find_start()

    def look_into(self, container: str, sign: Sign, *, applied: bool) -> Seen:
        """The pod's state, once the cluster has had time to notice its end, compared with the witness'."""
        try:
            condition = self._await_condition(container, 0.0 if sign is Sign.SILENT else SETTLED)
        except (EngineTrouble, Refused) as trouble:
            return Seen(evidence=Evidence(sign=sign, applied=applied, answers=False), note=str(trouble))
        start = self._witness.find_start()
        evidence = Evidence(
            sign=sign,
            applied=applied,
            exists=condition is not None,
            running=bool(condition and condition.running),
            restarted=bool(condition and condition.trouble) or (bool(self._begun) and start != self._begun),
            accepts=bool(start) and self._witness.accepts(),
            over_limit=condition.over_limit if condition and applied else "",
        )
        if condition is None:
            return Seen(evidence=evidence, note="the pod is gone")
        return Seen(evidence=evidence, status=condition.status, note=condition.trouble)

    def _await_condition(self, pod: str, within: float) -> Condition | None:
        deadline = time.monotonic() + within
        while True:
            found = self._api.find(f"/api/v1/namespaces/{self._namespace}/pods/{pod}")
            if found is None:
                return None
            node = self._api.find(f"/api/v1/nodes/{found['spec'].get('nodeName', '-')}")
            condition = read_condition(found, node)
            if not condition.running or condition.trouble or time.monotonic() > deadline:
                return condition
            time.sleep(STEP)

    def read_log(self, container: str) -> str:
        """The last lines of what its main process printed."""
        path = f"/api/v1/namespaces/{self._namespace}/pods/{container}/log"
        try:
            return self._api.request("GET", path, query={"container": CONTAINER, "tailLines": LINES})
        except (Refused, EngineTrouble) as trouble:
            return f"(no log: {trouble})"
