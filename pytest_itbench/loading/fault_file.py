"""The shapes of faults: what each kind of fault is given. `environments.kubernetes.faults` makes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pytest_itbench.loading.shape import Line, Name, Strict

Labels = Annotated[dict[str, str], Field(min_length=1)]
Command = Annotated[list[str], Field(min_length=1)]


class FaultShape(Strict):
    """What all faults have: the namespace in which they are made, the first one unless given."""

    namespace: Name | None = None


class _OfDeployment(FaultShape):
    deployment: Name


class _OfService(FaultShape):
    service: Name


class _WithRestart(FaultShape):
    restart: list[Name] = Field(default=[], description="deployments that are started anew, so that they see it")


class ScaledToZero(_OfDeployment):
    """Nobody runs it any more."""

    kind: Literal["scaled-to-zero"]


class MissingImage(_OfDeployment):
    """Its image does not exist."""

    kind: Literal["missing-image"]
    image: Line


class WrongCommand(_OfDeployment):
    """Its container is started by a command that fails."""

    kind: Literal["wrong-command"]
    command: Command


class WrongEnvironment(_OfDeployment):
    """An environment variable has a wrong value."""

    kind: Literal["wrong-environment"]
    variable: Line
    value: str


class FailingReadinessProbe(_OfDeployment):
    """Its readiness probe asks for what does not answer."""

    kind: Literal["failing-readiness-probe"]
    path: str = "/nowhere"


class CrashingInitContainer(_OfDeployment):
    """Its first init container fails."""

    kind: Literal["crashing-init-container"]
    command: Command = ["sh", "-c", "exit 1"]


class HangingInitContainer(_OfDeployment):
    """Its first init container does not end."""

    kind: Literal["hanging-init-container"]
    command: Command = ["sh", "-c", "sleep 86400"]


class ExcessiveRequests(_OfDeployment):
    """It asks for more than the cluster has."""

    kind: Literal["excessive-requests"]
    cpu: str | None = None
    memory: str | None = None


class WrongDnsPolicy(_OfDeployment):
    """Its pods do not ask the cluster for names."""

    kind: Literal["wrong-dns-policy"]
    policy: Literal["Default", "None"] = "Default"


class MissingVolumeClaim(_OfDeployment):
    """It mounts a volume claim that does not exist."""

    kind: Literal["missing-volume-claim"]
    claim: Name


class ImpossibleNode(_OfDeployment):
    """It wants a node with labels that none has: another place, another processor."""

    kind: Literal["impossible-node"]
    labels: Labels


class RepelledReplicas(_OfDeployment):
    """Its replicas must not share a node, and are more than there are nodes."""

    kind: Literal["repelled-replicas"]
    replicas: int = Field(ge=2, le=8)


class WrongTargetPort(_OfService):
    """The service sends to a port on which nobody listens."""

    kind: Literal["wrong-target-port"]
    port: int = Field(ge=1, le=65535)


class WrongSelector(_OfService):
    """The service selects no pod."""

    kind: Literal["wrong-selector"]
    labels: Labels


class DeletedService(_OfService):
    """The service is gone."""

    kind: Literal["deleted-service"]


class ExhaustedQuota(_WithRestart):
    """A quota leaves no room for what is started anew."""

    kind: Literal["exhausted-quota"]
    quota: Name = "team-quota"
    hard: Annotated[dict[str, str], Field(min_length=1)]


class CorruptedSecret(_WithRestart):
    """A secret's value is not the one that is needed."""

    kind: Literal["corrupted-secret"]
    secret: Name
    key: Line
    value: str


class RotatedPassword(_WithRestart):
    """A server has a new password, and its clients have the old one."""

    kind: Literal["rotated-password"]
    secret: Name
    key: Line
    value: str


class WrongConfiguration(_WithRestart):
    """A key of a ConfigMap has a wrong value: a limit, an address."""

    kind: Literal["wrong-configuration"]
    configmap: Name
    key: Line
    value: str


class FeatureFlag(_WithRestart):
    """A flag switches on what does not work."""

    kind: Literal["feature-flag"]
    configmap: Name
    key: Line
    value: str


class CordonedNode(_WithRestart):
    """No node takes new pods. Needs the cluster for itself."""

    kind: Literal["cordoned-node"]


class Objects(FaultShape):
    """Objects that do harm by being there."""

    kind: Literal["objects"]
    manifest: Line


class RunCommand(_OfDeployment):
    """A command that is run in a pod, such as one that puts a bad message into a queue."""

    kind: Literal["command"]
    command: Command


FaultFile = Annotated[
    ScaledToZero
    | MissingImage
    | WrongCommand
    | WrongEnvironment
    | FailingReadinessProbe
    | CrashingInitContainer
    | HangingInitContainer
    | ExcessiveRequests
    | WrongDnsPolicy
    | MissingVolumeClaim
    | ImpossibleNode
    | RepelledReplicas
    | WrongTargetPort
    | WrongSelector
    | DeletedService
    | ExhaustedQuota
    | CorruptedSecret
    | RotatedPassword
    | WrongConfiguration
    | FeatureFlag
    | CordonedNode
    | Objects
    | RunCommand,
    Field(discriminator="kind"),
]
