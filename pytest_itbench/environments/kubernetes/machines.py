"""The pods of a container scenario: a host, or the machine from which the candidate is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Host, HostLimits, Scenario
from pytest_itbench.environments.docker.environment import CONTROL_LIMITS
from pytest_itbench.environments.docker.machine import USUAL_CAPABILITIES
from pytest_itbench.environments.docker.probe import MOUNT
from pytest_itbench.environments.hosts import CONTROL, SERVE, describe_start
from pytest_itbench.environments.kubernetes.api import Object
from pytest_itbench.errors import NotReady

CONTAINER = "machine"
CLOSER = "closer"
TURN = 0.001
"""The share of a cluster's turns that an attempt takes which need not be alone."""
CPUS_EACH = 0.25
"""Processors that a machine keeps busy, over the length of an attempt; by them it is admitted."""
CPUS_ASKED = 0.05
"""What it asks its node for: a node that is full for a moment is no reason to wait."""
TOOLS_SIZE = 64 * 1024**2
BLOCK = 512
"""The unit in which a shell bounds the size of files."""
BREAKING = frozenset({"NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "BPF", "ALL"})
"""Capabilities by which root of a host could take down the wall around its pod, which stands inside of it."""
# What the cluster tells every container of its API is none of the machine's business.
PLAIN = (f"{MOUNT}/sh", "-c", 'unset ${!KUBERNETES_@}; exec "$0" "$@"')
"""The beginning of every command in a machine."""
NAMES = f"cat {MOUNT}/names >>/etc/hosts"
CLOSER_LIMITS = {"cpu": "1", "memory": "128Mi", "ephemeral-storage": "128Mi"}
CLOSER_REQUESTS = {"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "16Mi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineImages:
    """Images as the cluster's nodes know them.

    Attributes:
        closer: what begins each pod.
        control: from where candidates are run.
        hosts: the image of each host.
    """

    closer: str
    control: str
    hosts: Mapping[str, str]


def measure_machines(scenario: Scenario) -> Load:
    """What the pods of an attempt may use: memory at their limits, and the processors that they keep busy."""
    machines = [CONTROL_LIMITS, *(host.limits for host in scenario.hosts)]
    return Load(
        memory=sum(limits.memory for limits in machines),
        cpus=sum(min(limits.cpus, CPUS_EACH) for limits in machines),
        pids=len(machines),
        share=TURN,
    )


def refuse_unfit(scenario: Scenario) -> None:
    """See that pods can be what the scenario asks for.

    Raises:
        NotReady: they cannot.
    """
    hint = "run it on a container engine: --itbench-environment=docker"
    if scenario.network:
        names = ", ".join(grant.name for grant in scenario.network)
        raise NotReady(f"{scenario.id} may reach {names}, and pods of a cluster are given no way out", hint=hint)
    for host in scenario.hosts:
        if breaking := sorted(BREAKING.intersection(host.capabilities)):
            raise NotReady(
                f"{scenario.id}: root of {host.name} has {', '.join(breaking)} and could open the wall around its pod",
                hint=hint,
            )


def describe_host(host: Host, images: MachineImages, public: bytes) -> Object:
    """A host's pod."""
    blocks = -(-host.limits.disk // BLOCK)
    lines = [
        "set -e",
        f"ulimit -f {blocks}; ulimit -c 0",
        NAMES,
        *describe_start(public),
        *host.start,
        *SERVE,
    ]
    machine = {
        **_describe_machine(images.hosts[host.name], "\n".join(lines), host.limits),
        "env": [{"name": name, "value": escape(value)} for name, value in host.environment],
        "securityContext": {
            "runAsUser": 0,
            "capabilities": {"drop": ["ALL"], "add": [*USUAL_CAPABILITIES, *host.capabilities]},
        },
    }
    return _describe_pod(host.name, machine, images.closer)


def describe_control(images: MachineImages) -> Object:
    """The pod from which the candidate is run."""
    # Its main process is root's, so that a candidate, who is not, cannot end it; root there can become ops, no more.
    machine = {
        **_describe_machine(images.control, f"{NAMES}\nexec sleep infinity", CONTROL_LIMITS),
        "securityContext": {
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": ["SETUID", "SETGID"]},
        },
    }
    return _describe_pod(CONTROL, machine, images.closer)


def _describe_machine(image: str, script: str, limits: HostLimits) -> Object:
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # As on a container engine, the first process passes on signals and takes in orphans.
        "command": [escape(word) for word in (f"{MOUNT}/init", "--", *PLAIN, "/bin/sh", "-c", script)],
        "resources": {
            "limits": {
                "memory": str(limits.memory),
                "cpu": f"{limits.cpus:g}",
                "ephemeral-storage": str(limits.disk + TOOLS_SIZE),
            },
            "requests": {
                "memory": str(limits.memory),
                "cpu": f"{min(limits.cpus, CPUS_ASKED):g}",
                "ephemeral-storage": "16Mi",
            },
        },
        "volumeMounts": [{"name": "tools", "mountPath": MOUNT, "readOnly": True}],
    }


def _describe_pod(name: str, machine: Object, closer: str) -> Object:
    first = {
        "name": CLOSER,
        "image": closer,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "/opt/itbench/close.sh"],
        "securityContext": {
            "runAsUser": 0,
            "capabilities": {
                "drop": ["ALL"],
                "add": ["NET_ADMIN", "NET_RAW", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"],
            },
        },
        "resources": {"limits": CLOSER_LIMITS, "requests": CLOSER_REQUESTS},
        "volumeMounts": [{"name": "tools", "mountPath": "/tools"}],
    }
    spec = {
        "hostname": name,
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "dnsPolicy": "None",
        "dnsConfig": {
            "nameservers": ["127.0.0.1"],
            "options": [{"name": "timeout", "value": "1"}, {"name": "attempts", "value": "1"}],
        },
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [first],
        "containers": [machine],
        "volumes": [{"name": "tools", "emptyDir": {"sizeLimit": str(TOOLS_SIZE)}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def escape(text: str) -> str:
    """Text in which the cluster finds nothing to replace, where it would replace ``$(NAME)``."""
    return text.replace("$", "$$")


def describe_policy() -> Object:
    """The attempt's pods reach each other alone; for clusters that enforce such, a second wall."""
    own = [{"podSelector": Object()}]
    spec = {
        "podSelector": Object(),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": own}],
        "egress": [{"to": own}],
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "attempt"},
        "spec": spec,
    }
