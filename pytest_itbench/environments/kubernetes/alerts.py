"""What a stack's Prometheus says, asked through the cluster's API."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from pytest_itbench.domain.scenario import Stack
from pytest_itbench.environments.kubernetes.api import REFUSED, Api, Refused
from pytest_itbench.environments.kubernetes.lease import Lease
from pytest_itbench.errors import EngineTrouble, NotReady

STEP = 0.5
PATIENCE = 20.0
"""Seconds that Prometheus has for an answer."""


class Alerts:
    """The Prometheus of one lease."""

    def __init__(self, api: Api, lease: Lease, stack: Stack) -> None:
        assert stack.alerts
        namespace, service, port = stack.alerts
        real = lease.namespaces[namespace]
        self._api, self._root = api, f"/api/v1/namespaces/{real}/services/{service}:{port}/proxy"

    def ask(self, path: str, **query: str) -> Any:
        """What Prometheus' own API answers.

        Raises:
            Refused: it does not answer.
        """
        try:
            status, text = self._api.fetch(f"{self._root}{path}" + (f"?{urlencode(query)}" if query else ""), PATIENCE)
        except EngineTrouble as trouble:
            self._api.get("/version")  # a cluster that does not answer is no candidate's doing
            raise Refused(0, "Silent", trouble.message) from trouble
        if status >= REFUSED:
            raise Refused(status, "Failed", text[:300])
        return json.loads(text)["data"]

    def find(self) -> dict[str, str]:
        """Each alert that is pending or firing, with its state; the graver one where it is about several things."""
        found: dict[str, str] = {}
        for alert in self.ask("/api/v1/alerts")["alerts"]:
            name = alert["labels"]["alertname"]
            if found.get(name) != "firing":
                found[name] = alert["state"]
        return found

    def find_firing(self) -> set[str]:
        """The alerts that fire."""
        return {name for name, state in self.find().items() if state == "firing"}

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The instant value of an expression, with its labels."""
        result = self.ask("/api/v1/query", query=expression)["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def await_healthy(self, timeout: float) -> None:
        """Wait until every target is up and nothing is wrong.

        Raises:
            NotReady: something is.
        """
        deadline, seen = time.monotonic() + timeout, "Prometheus does not answer"
        while time.monotonic() < deadline:
            try:
                targets = self.ask("/api/v1/targets", state="active")["activeTargets"]
                down = [each["labels"].get("job", "?") for each in targets if each["health"] != "up"]
                alerts = self.find()
                if targets and not down and not alerts:
                    return
                seen = f"targets not up: {', '.join(down) or 'none'}; alerts: {', '.join(alerts) or 'none'}"
            except Refused as refused:
                seen = str(refused)
            time.sleep(STEP)
        raise NotReady(f"not healthy within {timeout:g} s: {seen}", cause="slow start", retries=1)

    def await_firing(self, wanted: Sequence[str], timeout: float) -> None:
        """Wait until alerts fire.

        Raises:
            NotReady: one does not.
        """
        deadline, firing = time.monotonic() + timeout, set[str]()
        while time.monotonic() < deadline:
            try:
                firing = self.find_firing()
            except Refused:  # what is broken may be on its way
                firing = set()
            if firing.issuperset(wanted):
                return
            time.sleep(STEP)
        silent = ", ".join(sorted(set(wanted) - firing))
        raise NotReady(
            f"{silent} did not fire within {timeout:g} s; firing: {', '.join(sorted(firing)) or 'none'}",
            cause="no symptom",
            retries=1,
        )
