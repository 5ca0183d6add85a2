"""A scenario: the task, its hosts, how they are made ready, and what bounds an attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

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
    """Something done to the hosts before the attempt: a playbook, or a script run by root.

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
        idempotent: the candidate is applied twice, and the second time must change nothing.
        network: what can be reached beyond the scenario's own hosts; nothing unless it is named.
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
    solution: Path
    counterexamples: tuple[Counterexample, ...]
    network: tuple[Grant, ...] = ()
