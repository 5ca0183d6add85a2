"""The shape of a scenario's ``cluster`` part and of ``stack.yaml``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from pytest_itbench.loading.fault_file import FaultFile
from pytest_itbench.loading.shape import Line, Name, Seconds, Strict

RESERVED = frozenset({"cluster", "host", "hosts", "candidate", "score", "control", "default"})


def check_alias(value: str) -> str:
    """Refuse names that mean something else to checks."""
    if value in RESERVED:
        raise ValueError(f"{value!r} has a meaning of its own; choose another")
    return value


# With what makes it unique it must still be a name.
Alias = Annotated[Name, Field(max_length=40), AfterValidator(check_alias)]
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|[kMGT]|[KMGT]i)?$")]


class RuleFile(Strict):
    """Rights of the candidate as an RBAC rule tells them: in a namespace, or in the whole cluster."""

    groups: list[str] = [""]
    resources: list[Line] = Field(min_length=1)
    verbs: list[Line] = Field(min_length=1)
    names: list[str] = []


class NamespaceFile(Strict):
    """A namespace of the attempt's own; the candidate may do there what the cluster's role of that name allows."""

    rights: Literal["none", "view", "edit", "admin"] = "none"
    rules: list[RuleFile] = Field(default=[], description="what it may do there besides")
    quota: dict[str, Quantity] = Field(default={}, description="as the `hard` of a ResourceQuota")
    manifests: list[str] = Field(default=[], description="applied in order, after the stack")


class ClusterFile(Strict):
    """What is needed of a Kubernetes cluster."""

    namespaces: dict[Alias, NamespaceFile] = Field(min_length=1, max_length=8)
    stack: str | None = Field(default=None, description="a directory with stack.yaml; may lie outside the scenario")
    exclusive: bool = Field(default=False, description="changes what belongs to the whole cluster: runs alone")
    rights: list[RuleFile] = []
    faults: list[FaultFile] = []
    alerts: list[Line] = Field(default=[], description="these fire before the candidate is applied")
    symptom_timeout: Seconds = 60.0


class AlertsFile(Strict):
    """Where a stack's Prometheus answers."""

    namespace: Name
    service: Name
    port: int = Field(default=9090, ge=1, le=65535)


class StackFile(Strict):
    """``stack.yaml``."""

    images: dict[Name, str] = Field(default={}, description="build contexts by the name that manifests use")
    manifests: list[str] = Field(min_length=1)
    alerts: AlertsFile | None = None
    ready_timeout: Seconds = 90.0


def dump_fault(fault: Any) -> tuple[str, dict[str, Any]]:
    """The kind of a fault and its parameters as builtins."""
    parameters: dict[str, Any] = fault.model_dump()
    return parameters.pop("kind"), parameters
