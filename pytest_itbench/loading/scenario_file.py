"""The shape of ``scenario.yaml``, for validation and for the JSON Schema that editors use."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pytest_itbench.domain.scenario import CandidateKind, Difficulty, Domain
from pytest_itbench.loading.cluster_file import ClusterFile
from pytest_itbench.loading.shape import Line, Name, Seconds, Strict

TAG = r"^[a-z][a-z0-9_-]*$"

UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def parse_memory(value: Any) -> Any:
    """Turn ``256m`` or ``1g`` into bytes; numbers are bytes already."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+)([kmg]?)", value.strip().lower())
    if not match:
        raise ValueError(f"{value!r} is not a size such as 256m or 1g")
    return int(match[1]) * UNITS[match[2]]


def parse_mode(value: Any) -> Any:
    """Turn a quoted ``"0644"`` into a number; an unquoted 0644 is octal in YAML already."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"0?[0-7]{3,4}", value):
        raise ValueError(f"{value!r} is not a file mode such as '0644'")
    return int(value, 8)


def check_memory(value: int) -> int:
    """Refuse what no system can run in."""
    if value < SMALLEST_MEMORY:
        raise ValueError("must be at least 16m")
    return value


def check_mode(value: int) -> int:
    """Refuse what is not a file mode."""
    if not 0 <= value <= LARGEST_MODE:
        raise ValueError("must be a file mode such as '0644'")
    return value


SMALLEST_MEMORY = 16 * 1024**2
LARGEST_MODE = 0o7777
Memory = Annotated[int, BeforeValidator(parse_memory, json_schema_input_type=int | str), AfterValidator(check_memory)]
Mode = Annotated[int, BeforeValidator(parse_mode, json_schema_input_type=int | str), AfterValidator(check_mode)]


class LimitsFile(Strict):
    """What one host may use: memory and disk (bytes, or 256m, 1g), processors, processes."""

    memory: Memory = 512 * 1024**2
    cpus: float = Field(default=1.0, gt=0, le=64)
    pids: int = Field(default=512, ge=16, le=32768)
    disk: Memory = 1024**3


class HostFileFile(Strict):
    """A file of the scenario that is put into a host."""

    src: str
    dest: str = Field(pattern=r"^/")
    owner: str = "root"
    group: str = "root"
    mode: Mode = 0o644


# What root may be given on a host: all of these act on what is the host's own. Not among them: SYS_PTRACE, which opens
# the validators' processes, and NET_RAW, whose frames reach the engine's machine. The usual ones: docs/security.md.
Capability = Literal["IPC_LOCK", "MKNOD", "NET_ADMIN", "SETFCAP", "SYS_NICE"]


class HostFileSet(Strict):
    """One machine: where it comes from, what it holds, what runs on it."""

    image: str | None = None
    dockerfile: str | None = None
    packages: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+_=~:-]*$")]] = []
    files: list[HostFileFile] = []
    environment: dict[
        Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], Annotated[str, Field(pattern=r'^[^"\n\\]*$')]
    ] = {}
    groups: list[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")]] = []
    start: list[Line] = []
    capabilities: list[Capability] = []
    limits: LimitsFile = LimitsFile()

    @model_validator(mode="after")
    def _one_source(self) -> HostFileSet:
        if self.image and self.dockerfile:
            raise ValueError("give either image or dockerfile, not both")
        return self


class StepFile(Strict):
    """A playbook, or a script that root runs on the named hosts (all when none is named)."""

    playbook: str | None = None
    script: str | None = None
    hosts: list[str] = []
    live: bool = Field(default=False, description="acts on running machines: done for each attempt")

    @model_validator(mode="after")
    def _one_kind(self) -> StepFile:
        if (self.playbook is None) == (self.script is None):
            raise ValueError("give either playbook or script")
        if self.playbook and self.hosts:
            raise ValueError("hosts is for scripts; a playbook names its own")
        return self


class ProbeFile(Strict):
    """A command that exits with 0 once the host is ready."""

    host: str
    command: str = Field(min_length=1)
    timeout: Seconds = 20.0


class GrantFile(Strict):
    """A place outside that hosts may reach."""

    name: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=253)
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field(min_length=1, max_length=8)


class ValidatorFile(Strict):
    """A file of checks; `host` is where a shell validator runs (the first host otherwise)."""

    path: str
    host: str | None = None


def expand_path(value: Any) -> Any:
    """A validator may be written as its path alone."""
    return {"path": value} if isinstance(value, str) else value


ValidatorEntry = Annotated[ValidatorFile, BeforeValidator(expand_path, json_schema_input_type=str | ValidatorFile)]


class TimeLimitsFile(Strict):
    """Wall-clock bounds in seconds: setup with trigger and probes; one run of the candidate; one check."""

    setup: Seconds = 120.0
    candidate: Seconds = 120.0
    check: Seconds = 30.0


class CounterexampleFile(Strict):
    """A plausible wrong candidate, the check or failure kind that catches it, and its mistake in a line."""

    path: str
    caught_by: Line
    why: Line


class ScenarioFile(Strict):
    """``scenario.yaml``."""

    id: Name | None = Field(default=None, description="unique in a run; the directory's name when absent")
    title: Line
    domain: Domain
    difficulty: Difficulty
    tags: list[Annotated[str, Field(pattern=TAG)]] = []
    idempotent: bool = Field(default=False, description="apply once more; that run must change nothing")
    candidate: CandidateKind = Field(default=CandidateKind.PLAYBOOK, description="what the model is asked for")
    needs: list[Literal["kyverno"]] = Field(default=[], description="tools without which it is skipped")
    hosts: dict[Name, HostFileSet] = Field(default={}, max_length=8)
    cluster: ClusterFile | None = None
    network: list[GrantFile] = Field(default=[], max_length=4, description="nothing outside is reached unless named")
    setup: list[StepFile] = []
    trigger: list[StepFile] = []
    probes: list[ProbeFile] = []
    between: list[StepFile] = Field(
        default=[], max_length=8, description="steps after the candidate's first run; then it is applied again"
    )
    validators: list[ValidatorEntry] = Field(default=[], description="validate.py or validate.sh when absent")
    limits: TimeLimitsFile = TimeLimitsFile()
    counterexamples: list[CounterexampleFile] = []
    schema_: Literal[1] = Field(default=1, alias="schema", description="version of this file's format")


PLACES = {
    CandidateKind.PLAYBOOK: "hosts",
    CandidateKind.AUDIT: "hosts",
    CandidateKind.SCRIPT: "cluster",
    CandidateKind.MANIFESTS: "cluster",
    CandidateKind.EVIDENCE: "cluster",
}
"""Where a kind of candidate is run; the others are data, and are run nowhere."""


def build_schema() -> dict[str, Any]:
    """The JSON Schema of ``scenario.yaml``."""
    schema = ScenarioFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "pytest-itbench scenario"}
