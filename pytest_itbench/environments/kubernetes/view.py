"""The cluster as a scenario's checks see it; their argument is called ``cluster``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pytest_itbench.environments.kubernetes.alerts import Alerts
from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.environments.kubernetes.exec import run_told
from pytest_itbench.environments.kubernetes.lease import Lease
from pytest_itbench.environments.kubernetes.snapshot import State, find_differences, find_unexpected, take_state
from pytest_itbench.errors import EngineTrouble

RIGHTS = ("Role", "RoleBinding", "ServiceAccount")
STEP = 1.0
BROKEN = 500
PATIENCE = 15.0
"""Seconds that a pod has to be ready, which a busy node may say late."""
SETTLED_WITHIN = 5.0
"""Seconds that the cluster has to do away with the marks of what was undone."""
ANSWER_WITHIN = 6.0
"""Seconds that a service has to answer: its endpoints follow its pods a moment later."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a service answered; status 0 when it did not."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The text, read as JSON."""
        return json.loads(self.text)


class ClusterView:
    """One attempt's part of a cluster. Namespaces are called as the scenario calls them; the first unless named."""

    def __init__(
        self,
        api: Api,
        lease: Lease,
        alerts: Alerts | None,
        *,
        before: State,
        find_of_cluster: Callable[[], list[str]] | None,
        collected: Mapping[str, str | None],
        patient: bool,
    ) -> None:
        self._api, self._lease, self._collected = api, lease, collected
        self._before, self._find_of_cluster = before, find_of_cluster
        self._alerts, self._patient = alerts, patient
        self._first = next(iter(lease.namespaces))

    def name(self, namespace: str = "") -> str:
        """A namespace's real name."""
        return self._lease.namespaces[namespace or self._first]

    @property
    def alerts(self) -> Alerts:
        """The stack's Prometheus."""
        assert self._alerts, "the scenario's stack has no alerts"
        return self._alerts

    def find(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """An object, as in ``find("Deployment", "cart")``; None when there is none."""
        path = self._resource_path(kind, self.name(namespace), name)
        with asked():
            found: Object | None = self._api.find(path)
        return found

    def get(self, kind: str, name: str, namespace: str = "") -> Object:
        """The same; the check fails when there is none."""
        found = self.find(kind, name, namespace)
        assert found is not None, f"there is no {kind} {name}"
        return found

    def find_all(self, kind: str, namespace: str = "") -> list[Object]:
        """All objects of a kind in a namespace."""
        with asked():
            items: list[Object] = self._api.get(self._resource_path(kind, self.name(namespace)))["items"]
        return items

    def get_of_cluster(self, kind: str, name: str) -> Object:
        """An object that belongs to the whole cluster, such as a Node."""
        with asked():
            found: Object | None = self._api.find(self._resource_path(kind, "", name))
        assert found is not None, f"there is no {kind} {name}"
        return found

    def find_all_of_cluster(self, kind: str) -> list[Object]:
        """All of them."""
        with asked():
            items: list[Object] = self._api.get(self._resource_path(kind, ""))["items"]
        return items

    def _resource_path(self, kind: str, namespace: str, name: str = "") -> str:
        for resource in self._api.resources:
            if resource.kind == kind:
                return resource.path(namespace, name)
        raise AssertionError(f"the cluster knows no kind {kind}")

    def fetch(self, service: str, path: str = "/", port: int = 80, namespace: str = "") -> Response:
        """What a service answers to a GET, asked through the cluster's API.

        Once the candidate was applied, an error of the service (status 500 and up) is waited out a little.
        """
        root = f"/api/v1/namespaces/{self.name(namespace)}/services/{service}:{port}/proxy"
        deadline = self._find_deadline(ANSWER_WITHIN)
        while True:
            answer = self._fetch(root + quote(path, safe="/?&=%"))
            if 0 < answer.status < BROKEN or time.monotonic() >= deadline:
                return answer
            time.sleep(STEP)

    def _fetch(self, path: str) -> Response:
        try:
            return Response(*self._api.fetch(path, ANSWER_WITHIN))
        except EngineTrouble as trouble:
            self._api.get("/version")  # a cluster that does not answer is no candidate's doing
            return Response(0, trouble.message)

    def run(self, deployment: str, *command: str, namespace: str = "", timeout: float = 20.0) -> tuple[int, str]:
        """Run a command in a ready pod of a deployment; gives its status and what it printed."""
        pod = self.find_pod(deployment, namespace)
        try:
            return run_told(self._api, self.name(namespace), pod, command, timeout)
        except EngineTrouble as trouble:
            self._api.get("/version")  # a cluster that does not answer is no candidate's doing
            raise AssertionError(f"{command[0]} cannot be run in {deployment}: {trouble.message}") from trouble

    def find_pod(self, deployment: str, namespace: str = "") -> Object:
        """A ready pod of a deployment, for which is waited a little once the candidate was applied."""
        labels = self.get("Deployment", deployment, namespace)["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        deadline = self._find_deadline(PATIENCE)
        while True:
            with asked():
                pods = self._api.get(f"/api/v1/namespaces/{self.name(namespace)}/pods", labelSelector=selector)["items"]
            ready: Object | None = next(filter(_is_ready, pods), None)
            if ready:
                return ready
            assert time.monotonic() < deadline, f"no pod of {deployment} is ready"
            time.sleep(STEP)

    def assert_rolled_out(self, deployment: str, namespace: str = "", within: float = 60.0) -> None:
        """All replicas that a deployment wants, one at least, are of its present template and ready.

        Once the candidate was applied, they have so many seconds for that.
        """
        deadline = self._find_deadline(within)
        while problem := _find_delay(self.get("Deployment", deployment, namespace)):
            assert time.monotonic() < deadline, f"{deployment}: {problem}"
            time.sleep(STEP)

    def _find_deadline(self, patience: float) -> float:
        """Until when is waited: before the candidate is applied, there is nothing to wait for."""
        return time.monotonic() + (patience if self._patient else 0.0)

    def collected(self, namespace: str) -> Any:
        """What the candidate left in ``collected_data.json`` when it was run in a namespace."""
        text = self._collected.get(namespace)
        assert text is not None, f"in namespace {namespace} nothing was collected"
        try:
            return json.loads(text)
        except ValueError as error:
            raise AssertionError(f"what was collected in namespace {namespace} is no valid JSON: {error}") from None

    def assert_quiet(self, seconds: float = 10.0, within: float = 60.0) -> None:
        """No alert fires or is about to, for so many seconds in a row, beginning within so many seconds.

        Before the candidate is applied, nothing is waited for.
        """
        deadline = self._find_deadline(within)
        quiet_since: float | None = None
        seen: Mapping[str, str] = {}
        while True:
            try:
                seen = self.alerts.find()
            except Refused as refused:
                seen = {f"Prometheus does not answer: {refused}": "firing"}
            now = time.monotonic()
            quiet_since = None if seen else quiet_since or now
            if quiet_since is not None and now - quiet_since >= seconds:
                return
            assert quiet_since is not None or now < deadline, f"alerts: {', '.join(sorted(seen))}"
            time.sleep(STEP)

    def find_changes(self, *allowed: str) -> list[str]:
        """What the candidate changed, apart from what matches a pattern.

        A change is told as ``shop/Deployment/cart: spec.replicas``, ``shop/ConfigMap/x: made`` or ``…: removed``;
        in a pattern ``*`` stands for anything.
        """
        return find_unexpected(self._find_changes(), allowed)

    def _find_changes(self) -> list[str]:
        with asked():
            return find_differences(self._before, take_state(self._api, self._lease.namespaces))

    def find_changes_of_cluster(self, *allowed: str) -> list[str]:
        """What differs of the whole cluster from before the faults, told as ``Node/node1: spec.taints``.

        Only for scenarios that have the cluster to themselves. What the cluster still undoes is waited for a little.
        """
        assert self._find_of_cluster, "the scenario is not exclusive: others change the cluster, too"
        deadline = self._find_deadline(SETTLED_WITHIN)
        while True:
            with asked():
                unexpected = find_unexpected(self._find_of_cluster(), allowed)
            if not unexpected or time.monotonic() >= deadline:
                return unexpected
            time.sleep(STEP)

    def find_widened_rights(self) -> list[str]:
        """What the candidate changed of rights, and of the accounts that pods have."""
        accounts = ("serviceAccountName", "serviceAccount", "automountServiceAccountToken", "securityContext")
        return [
            each
            for each in self._find_changes()
            if each.partition(": ")[0].split("/")[1] in RIGHTS or any(word in each for word in accounts)
        ]


@contextmanager
def asked() -> Iterator[None]:
    """What the cluster refuses to us, who may ask anything, is no candidate's doing.

    Raises:
        EngineTrouble: it refused.
    """
    try:
        yield
    except Refused as refused:
        raise EngineTrouble(f"a check's question was refused: {refused}", cause="cluster", retries=1) from refused


def _find_delay(deployment: Object) -> str:
    """Why a rollout is not through; empty when it is."""
    spec, status = deployment["spec"], deployment.get("status", {})
    wanted = spec.get("replicas", 1)
    if not wanted:
        return "it wants no replica"
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return "the cluster has not seen its last change yet"
    counts = {name: status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")}
    if set(counts.values()) == {wanted}:
        return ""
    return f"of {wanted} replicas {counts['updatedReplicas']} are new and {counts['readyReplicas']} ready"


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
