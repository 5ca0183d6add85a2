"""A scenario: the task, its hosts, how they are made ready, and what bounds an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

StepKind = Literal["playbook", "script"]


class Domain(StrEnum):
    """The areas of work by which results are grouped."""

    SERVER_CONFIGURATION = "server-configuration"
    FILE_MANAGEMENT = "file-management"
    VARIABLE_MANAGEMENT = "variable-management"
    POLICY_CONFIGURATION = "policy-configuration"
    NETWORKING = "networking"
    DEPLOYMENT_PIPELINES = "deployment-pipelines"
    TEMPLATING = "templating"
    SRE = "sre"
    COMPLIANCE = "compliance"
    FINOPS = "finops"


class CandidateKind(StrEnum):
    """What a model is asked for."""

    PLAYBOOK = "playbook"
    SCRIPT = "script"
    MANIFESTS = "manifests"
    EVIDENCE = "evidence"
    AUDIT = "audit"
    POLICY = "policy"
    ANSWER = "answer"


PARTS: Mapping[CandidateKind, tuple[str, ...]] = {
    CandidateKind.PLAYBOOK: ("playbook.yml",),
    CandidateKind.SCRIPT: ("script.sh",),
    CandidateKind.MANIFESTS: ("manifests.yaml",),
    CandidateKind.EVIDENCE: ("script.sh", "policy.rego"),
    CandidateKind.AUDIT: ("playbook.yml", "policy.rego"),
    CandidateKind.POLICY: ("policy.yaml",),
    CandidateKind.ANSWER: ("answer.json",),
}
"""The files that make up a candidate of each kind; the first one is what is run, if anything is."""


class Difficulty(StrEnum):
    """How much a scenario asks for; the rule is in docs/writing-scenarios.md."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """What one host may use.

    Attributes:
        memory: bytes; also the bound for memory plus swap.
        cpus: processors, may be a fraction.
        pids: processes and threads.
        disk: bytes that it may write to its own disk.
    """

    memory: int = 512 * 1024**2
    cpus: float = 1.0
    pids: int = 512
    disk: int = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFile:
    """A file that is put into a host's image."""

    source: Path
    destination: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One machine of a scenario.

    Attributes:
        name: its host name, its name in the inventory, and the validators' argument.
        image: a built-in image's name (``debian``) or any image reference; empty with dockerfile.
        dockerfile: builds the base image instead; its directory is the build context.
        start: commands that root runs, in order, each time the host starts.
        capabilities: what root may do there beyond the usual, by the kernel's names without ``CAP_``.
    """

    name: str
    image: str = "debian"
    dockerfile: Path | None = None
    packages: tuple[str, ...] = ()
    files: tuple[HostFile, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    limits: HostLimits = field(default_factory=HostLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something done to the hosts before the candidate, or between its runs: a playbook, or a script run by root.

    Attributes:
        hosts: where a script runs; a playbook names its own hosts.
        live: it acts on running machines, and is done again for each attempt.
    """

    kind: StepKind
    path: Path
    hosts: tuple[str, ...] = ()
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A place outside that the hosts may reach, by name and TCP ports; nothing else of it."""

    name: str
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A command that succeeds once a host is ready. Times in seconds."""

    host: str
    command: str
    timeout: float = 20.0
    interval: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """A file of checks; a shell validator runs on one host."""

    path: Path
    host: str


Rights = Literal["none", "view", "edit", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Rights as an RBAC rule tells them."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace of a cluster that an attempt has to itself.

    Attributes:
        name: what manifests and checks call it; the real name is another in each attempt.
        rights: what the candidate may do there, as the cluster's own role of that name.
        rules: what it may do there besides.
        quota: what its pods may use together, by the names of a ResourceQuota.
        manifests: what is applied to it besides the stack, in order.
    """

    name: str
    rights: Rights = "none"
    rules: tuple[Rule, ...] = ()
    quota: tuple[tuple[str, str], ...] = ()
    manifests: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """An application that scenarios share, such as a shop to break.

    Attributes:
        images: build contexts (directories with a Dockerfile) by the name that manifests use.
        alerts: namespace, service and port of its Prometheus; None when it has none.
        ready_timeout: seconds.
    """

    directory: Path
    images: tuple[tuple[str, Path], ...]
    manifests: tuple[Path, ...]
    alerts: tuple[str, str, int] | None = None
    ready_timeout: float = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is broken on purpose: a kind of fault and what it is given."""

    kind: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What a scenario needs of a Kubernetes cluster.

    Attributes:
        namespaces: the first one is where the candidate begins.
        exclusive: it changes what belongs to the whole cluster, and has the cluster to itself.
        rights: what the candidate may do beyond its namespaces.
        faults: what is broken once all of it is ready, in order.
        alerts: those that must fire before the candidate is applied.
        symptom_timeout: seconds for them to fire.
    """

    namespaces: tuple[Namespace, ...]
    stack: Stack | None = None
    exclusive: bool = False
    rights: tuple[Rule, ...] = ()
    faults: tuple[Fault, ...] = ()
    alerts: tuple[str, ...] = ()
    symptom_timeout: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """Wall-clock bounds of an attempt's stages, in seconds."""

    setup: float = 120.0
    candidate: float = 120.0
    check: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """A plausible wrong candidate.

    Attributes:
        caught_by: the check, or the failure kind, that must catch it.
        why: one line on the mistake.
    """

    name: str
    path: Path
    caught_by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One task with everything that is needed to try it and to judge the attempt.

    Attributes:
        id: unique within a run; the directory's name unless the file says otherwise.
        solution: the parts of the reference solution, in the order of `PARTS`.
        candidate: what the model is asked for.
        idempotent: the candidate is applied twice, and the second time must change nothing.
        cluster: what it needs of a Kubernetes cluster; None without one.
        needs: tools without which it is skipped.
        network: what can be reached beyond the scenario's own hosts; nothing unless it is named.
        between: what changes the hosts after the candidate's first run; then it is applied again.
    """

    id: str
    title: str
    directory: Path
    domain: Domain
    difficulty: Difficulty
    tags: tuple[str, ...]
    hosts: tuple[Host, ...]
    setup: tuple[Step, ...]
    trigger: tuple[Step, ...]
    probes: tuple[Probe, ...]
    validators: tuple[Validator, ...]
    limits: TimeLimits
    idempotent: bool
    prompt: Path
    solution: tuple[Path, ...]
    counterexamples: tuple[Counterexample, ...]
    candidate: CandidateKind = CandidateKind.PLAYBOOK
    cluster: Cluster | None = None
    needs: tuple[str, ...] = ()
    network: tuple[Grant, ...] = ()
    between: tuple[Step, ...] = ()
