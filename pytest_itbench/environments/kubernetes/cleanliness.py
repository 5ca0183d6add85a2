"""Attempts that change the whole cluster: what they leave is undone, or the cluster is used no more."""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress

from pytest_itbench.domain.scenario import Cluster
from pytest_itbench.environments.kubernetes.api import MERGE, Api, Object, Refused
from pytest_itbench.environments.kubernetes.lease import LABEL
from pytest_itbench.environments.kubernetes.snapshot import State, find_differences, take_cluster_state
from pytest_itbench.errors import EngineTrouble

LOG = logging.getLogger(__name__)
DIRTY = f"{LABEL}/dirty"
"""Annotation of a cluster's ``kube-system`` that says what was left in disorder."""
RECORD = "cluster-before"
OURS = ("itbench-",)
SETTLE = 5.0
NODES = frozenset({"nodes"})
LOOKING = frozenset({"get", "list", "watch"})


def find_reach(cluster: Cluster) -> frozenset[str]:
    """The kinds of the whole cluster, in the plural, that an attempt may change: by its faults and by its rights.

    What nobody of us can change is the cluster's own affair: to put that back would be to break it.
    """
    changing = (rule for rule in cluster.rights if not set(rule.verbs) <= LOOKING)
    return NODES | {name.partition("/")[0] for rule in changing for name in rule.resources}


def record(api: Api, reach: frozenset[str]) -> State:
    """What of the whole cluster an attempt may change, before it."""
    return take_cluster_state(api, reach, skip=OURS)


def keep_record(api: Api, namespace: str, before: State, reach: frozenset[str]) -> None:
    """Keep what was recorded on the cluster itself, so that whoever sweeps after a killed run can put it back.

    Raises:
        Refused, EngineTrouble
    """
    data = {"before": json.dumps(before), "reach": json.dumps(sorted(reach))}
    record = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": RECORD}, "data": data}
    api.create(f"/api/v1/namespaces/{namespace}/configmaps", record)


def drop_record(api: Api, namespace: str) -> None:
    """The cluster was put back: nobody is to do it again.

    Raises:
        Refused, EngineTrouble
    """
    api.delete(f"/api/v1/namespaces/{namespace}/configmaps/{RECORD}")


def clean_after(api: Api, namespace: str) -> None:
    """Put back what an attempt changed that was killed; nothing to do for one that did not have the cluster alone."""
    found = api.find(f"/api/v1/namespaces/{namespace}/configmaps/{RECORD}")
    if found:
        clean_or_retire(api, json.loads(found["data"]["before"]), frozenset(json.loads(found["data"]["reach"])))


def clean_or_retire(api: Api, before: State, reach: frozenset[str]) -> None:
    """Undo what an attempt did to the whole cluster; a cluster that cannot be cleaned is used no more."""
    try:
        clean(api, before, reach)
    except (EngineTrouble, Refused) as trouble:
        LOG.warning("%s", trouble)
        mark = {"metadata": {"annotations": {DIRTY: str(trouble)[:2000]}}}
        with suppress(EngineTrouble, Refused):
            api.patch("/api/v1/namespaces/kube-system", mark, MERGE)


def clean(api: Api, before: State, reach: frozenset[str]) -> None:
    """Bring the cluster back to what was recorded.

    Raises:
        EngineTrouble: it cannot be brought back; the cluster must not be used any more.
    """
    deadline = time.monotonic() + SETTLE
    left = find_differences(before, record(api, reach))
    while left:
        for name in dict.fromkeys(each.partition(": ")[0] for each in left):
            with suppress(Refused):
                _restore(api, name, before.get(name))
        left = find_differences(before, record(api, reach))
        if left and time.monotonic() > deadline:
            raise EngineTrouble(
                f"the cluster is not what it was before the attempt: {', '.join(left[:8])}",
                hint="put it right by hand, or make a new cluster",
                cause="dirty cluster",
            )


def _restore(api: Api, name: str, wanted: Object | None) -> None:
    *inside, kind, plain = name.split("/")
    namespace = inside[0] if inside else ""
    resource = next(each for each in api.resources if each.kind == kind and each.namespaced == bool(inside))
    path = resource.path(namespace, plain)
    if wanted is None:
        api.delete(path)
        return
    body = {"apiVersion": resource.version, "kind": kind, **wanted}
    body["metadata"] = {**wanted["metadata"], "name": plain}
    current = api.find(path)
    if current is None:
        api.create(resource.path(namespace), body)
        return
    # A merge removes nothing by itself: what came in is named, and set to nothing.
    api.patch(path, _with_removals(current, body), MERGE)


def _with_removals(current: Object, wanted: Object) -> Object:
    """What is wanted, with every field set to nothing that is there and not wanted, two levels deep."""
    result: Object = dict(wanted)
    for key in current.keys() - {"status", "apiVersion", "kind", "metadata"}:
        value, target = current[key], wanted.get(key)
        if isinstance(value, dict) and isinstance(target, dict):
            result[key] = {**dict.fromkeys(value.keys() - target.keys()), **target}
        elif key not in wanted:
            result[key] = None
    labels, kept = current["metadata"].get("labels", {}), wanted["metadata"].get("labels", {})
    result["metadata"] = {**wanted["metadata"], "labels": {**dict.fromkeys(labels.keys() - kept.keys()), **kept}}
    return result
