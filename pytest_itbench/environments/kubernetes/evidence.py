"""What the cluster says of a lease, for a person who wants to know what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.errors import AttemptInvalid

LINES = 60
MOST_LOGS = 8
MOST_EVENTS = 120


def collect_evidence(api: Api, namespaces: Mapping[str, str]) -> dict[str, str]:
    """Events, pods, the last log lines of pods that are not well, and the nodes' conditions; what can be had of it.

    Namespaces are given by what people call them, with their real names.
    """
    found: dict[str, str] = {}
    with suppress(Refused, AttemptInvalid):
        found["nodes"] = "\n".join(describe_node(node) for node in api.get("/api/v1/nodes")["items"])
    for alias, real in namespaces.items():
        with suppress(Refused, AttemptInvalid):
            pods = api.get(f"/api/v1/namespaces/{real}/pods")["items"]
            found[f"{alias}-pods"] = "\n".join(describe_pod(pod) for pod in pods)
            events = api.get(f"/api/v1/namespaces/{real}/events")["items"]
            found[f"{alias}-events"] = "\n".join(map(describe_event, sorted(events, key=_when)[-MOST_EVENTS:]))
            found |= dict(_collect_logs(api, alias, real, pods))
    return found


def _collect_logs(api: Api, alias: str, real: str, pods: list[Object]) -> Iterator[tuple[str, str]]:
    sick = [(pod, each) for pod in pods for each in _statuses(pod) if not each.get("ready") or each["restartCount"]]
    for pod, container in sick[:MOST_LOGS]:
        name = pod["metadata"]["name"]
        path = f"/api/v1/namespaces/{real}/pods/{name}/log"
        for previous in ("true", "false"):
            with suppress(Refused):
                query = {"container": container["name"], "tailLines": LINES, "previous": previous}
                text = api.request("GET", path, query=query)
                yield f"{alias}-{name}-{container['name']}", text
                break


def _statuses(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    waiting = [each for each in status.get("initContainerStatuses", ()) if "terminated" not in each.get("state", {})]
    return [*waiting, *status.get("containerStatuses", ())]


def describe_pod(pod: Object) -> str:
    """A pod in a line: phase, readiness, restarts, what each container waits for or how it ended."""
    status = pod.get("status", {})
    parts = []
    for each in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        states: Object = each.get("state", {})
        state, detail = next(iter(states.items()), ("unknown", Object()))
        words = " ".join(str(detail[name]) for name in ("reason", "exitCode", "message") if name in detail)
        ready = "ready" if each.get("ready") else "not ready"
        parts.append(f"{each['name']} {state} {words} ({ready}, {each['restartCount']} restarts)".replace("\n", " "))
    unmet = [each for each in status.get("conditions", ()) if each["status"] != "True"]
    parts += [f"{each['type']}: {each.get('message', each.get('reason', ''))}" for each in unmet if each.get("message")]
    return f"{pod['metadata']['name']}: {status.get('phase')}; {'; '.join(parts)}"


def describe_node(node: Object) -> str:
    """A node in a line."""
    conditions = ", ".join(f"{each['type']}={each['status']}" for each in node["status"].get("conditions", ()))
    closed = " (takes no pods)" if node["spec"].get("unschedulable") else ""
    return f"{node['metadata']['name']}{closed}: {conditions}"


def describe_event(event: Object) -> str:
    """An event in a line."""
    about = event["involvedObject"]
    count = f" x{event['count']}" if (event.get("count") or 1) > 1 else ""
    return (
        f"{_when(event)} {about.get('kind')}/{about.get('name')} {event.get('reason')}: {event.get('message')}{count}"
    )


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
