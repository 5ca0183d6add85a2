"""What an attempt depends on and its candidate cannot reach: the run's guard, and the nodes of its pods."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from pytest_itbench.environments.kubernetes.api import Api, Object
from pytest_itbench.environments.kubernetes.lookout import OWN_EXCESS, ClusterWitness
from pytest_itbench.errors import EngineTrouble

NODE_WITHIN = 60.0
"""Seconds within which a node must be ready; one that reports late is back sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """How they are at a moment.

    Attributes:
        guard: which pod guards the run, and how often it was started.
        unready: the attempt's nodes that are not ready, with what they say.
        evicted: pods that a node put out for want of its own room, with what it says.
    """

    guard: str
    unready: dict[str, str] = field(default_factory=dict)
    evicted: dict[str, str] = field(default_factory=dict)


def look_around(api: Api, run: str, namespaces: Iterable[str]) -> Surroundings:
    """How they are now.

    Raises:
        Refused, EngineTrouble
    """
    pods: list[Object] = [pod for name in namespaces for pod in api.get(f"/api/v1/namespaces/{name}/pods")["items"]]
    used = {pod["spec"].get("nodeName") for pod in pods}
    nodes = [node for node in api.get("/api/v1/nodes")["items"] if node["metadata"]["name"] in used]
    return Surroundings(
        guard=ClusterWitness(api, run).find_start(),
        unready={node["metadata"]["name"]: said for node in nodes if (said := find_unreadiness(node))},
        evicted={
            pod["metadata"]["name"]: said
            for pod in pods
            if pod["status"].get("reason") == "Evicted"
            and not OWN_EXCESS.search(said := str(pod["status"].get("message", "")))
        },
    )


def refuse_lapse(before: Surroundings, now: Surroundings) -> None:
    """See that nothing happened to them: the candidate, or what it made, may have failed for that alone.

    Raises:
        EngineTrouble: something did.
    """
    problems = [f"node {name} is not ready: {said}" for name, said in now.unready.items() if name not in before.unready]
    problems += [f"pod {name} was put out: {said}" for name, said in now.evicted.items() if name not in before.evicted]
    if now.guard != before.guard:
        problems.append("the guard of the run's pods was started again, and pods were refused meanwhile")
    if problems:
        raise EngineTrouble(
            f"the cluster failed while the attempt ran: {'; '.join(problems)}"[:1000],
            hint="look at the cluster's nodes: pytest-itbench doctor",
            cause="cluster",
            retries=1,
        )


def await_node(api: Api) -> None:
    """Wait until one node of the cluster is ready: pods would wait in vain, each attempt for its own.

    Raises:
        Refused
        EngineTrouble: none is, for a minute.
    """
    deadline = time.monotonic() + NODE_WITHIN
    while True:
        nodes = api.get("/api/v1/nodes")["items"]
        unready = {node["metadata"]["name"]: find_unreadiness(node) for node in nodes}
        if not all(unready.values()) or not unready:
            return
        if time.monotonic() > deadline:
            said = "; ".join(f"{name}: {why}" for name, why in unready.items())
            raise EngineTrouble(
                f"no node of the cluster was ready within {NODE_WITHIN:g} s: {said}"[:1000],
                hint="look at the cluster's nodes: pytest-itbench doctor",
                cause="cluster",
            )
        time.sleep(1.0)


def find_unreadiness(node: Object) -> str:
    """Why a node is not ready; nothing where it is."""
    conditions = node["status"].get("conditions", ())
    return next(
        (
            str(each.get("message") or each.get("reason") or "it does not say why")
            for each in conditions
            if each["type"] == "Ready" and each["status"] != "True"
        ),
        "",
    )
