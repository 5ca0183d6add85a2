"""The cluster part of a scenario as a domain value, with the stack that it names."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from pytest_itbench.domain import scenario as domain
from pytest_itbench.errors import ScenarioMistake
from pytest_itbench.loading.cluster_file import ClusterFile, RuleFile, StackFile, dump_fault
from pytest_itbench.loading.explaining import explain
from pytest_itbench.loading.yaml_file import Location, find_line, load_yaml

STACK = "stack.yaml"

WHOLE = frozenset({"cordoned-node"})
"""Faults that other attempts on the same cluster would feel."""

Complain = Callable[[Location, str], None]


class FindFile(Protocol):
    """Gives a file of the scenario, and complains when there is none."""

    def __call__(self, name: str, *location: str | int) -> Path:
        """The file's path."""


class ClusterReader:
    """Reads what a scenario says of its cluster; complains as the scenario's own reader does."""

    def __init__(self, find_file: FindFile, complain: Complain, directory: Path) -> None:
        self._file, self._complain, self._directory = find_file, complain, directory

    def read(self, file: ClusterFile) -> domain.Cluster:
        """The domain value; incomplete where there was something to complain about."""
        stack = self._stack(file.stack) if file.stack else None
        names = list(file.namespaces)
        if stack and stack.alerts and stack.alerts[0] not in names:
            self._complain(("cluster", "namespaces"), f"the stack's alerts need a namespace {stack.alerts[0]!r}")
        if file.alerts and not file.stack:
            self._complain(("cluster", "alerts"), "alerts come from a stack's Prometheus: name a stack")
        if file.alerts and stack and not stack.alerts:
            self._complain(("cluster", "alerts"), f"{stack.directory / STACK} does not say where its alerts are")
        for index, fault in enumerate(file.faults):
            if fault.kind in WHOLE and not file.exclusive:
                problem = f"fault {fault.kind!r} changes the whole cluster: say exclusive: true"
                self._complain(("cluster", "faults", index, "kind"), problem)
        return domain.Cluster(
            namespaces=tuple(
                domain.Namespace(
                    name=name,
                    rights=namespace.rights,
                    rules=tuple(map(_read_rule, namespace.rules)),
                    quota=tuple(namespace.quota.items()),
                    manifests=tuple(
                        self._file(path, "cluster", "namespaces", name, "manifests", index)
                        for index, path in enumerate(namespace.manifests)
                    ),
                )
                for name, namespace in file.namespaces.items()
            ),
            stack=stack,
            exclusive=file.exclusive,
            rights=tuple(map(_read_rule, file.rights)),
            faults=tuple(self._fault(index, *dump_fault(fault), names) for index, fault in enumerate(file.faults)),
            alerts=tuple(file.alerts),
            symptom_timeout=file.symptom_timeout,
        )

    def _stack(self, name: str) -> domain.Stack | None:
        try:
            return load_stack((self._directory / name).resolve())
        except ScenarioMistake as mistake:
            self._complain(("cluster", "stack"), f"stack {name!r}: {mistake}")
            return None

    def _fault(self, index: int, kind: str, parameters: dict[str, object], names: list[str]) -> domain.Fault:
        at = ("cluster", "faults", index)
        namespace = parameters["namespace"] = parameters["namespace"] or names[0]
        if namespace not in names:
            self._complain((*at, "namespace"), f"unknown namespace {namespace!r}; namespaces: {', '.join(names)}")
        if kind == "objects":
            parameters["manifest"] = self._file(str(parameters["manifest"]), *at, "manifest")
        return domain.Fault(kind=kind, parameters=parameters)


def _read_rule(rule: RuleFile) -> domain.Rule:
    return domain.Rule(
        groups=tuple(rule.groups), resources=tuple(rule.resources), verbs=tuple(rule.verbs), names=tuple(rule.names)
    )


@cache
def load_stack(directory: Path) -> domain.Stack:
    """Read ``stack.yaml`` of a directory.

    Raises:
        ScenarioMistake: it cannot be read, or names what is not there.
    """
    path = directory / STACK
    if not path.is_file():
        raise ScenarioMistake(directory, None, f"holds no {STACK}")
    try:
        file = StackFile.model_validate(load_yaml(path))
    except ValidationError as error:
        location, problem = explain(error.errors()[0], StackFile)
        raise ScenarioMistake(path, find_line(path, location), problem) from None
    wanted: list[tuple[Location, str]] = [(("manifests", at), name) for at, name in enumerate(file.manifests)]
    wanted += [(("images", image), f"{context}/Dockerfile") for image, context in file.images.items()]
    for location, name in wanted:
        if not (directory / name).is_file():
            raise ScenarioMistake(path, find_line(path, location), f"file {name!r} does not exist")
    alerts = file.alerts
    return domain.Stack(
        directory=directory,
        images=tuple((name, directory / context) for name, context in file.images.items()),
        manifests=tuple(directory / name for name in file.manifests),
        alerts=(alerts.namespace, alerts.service, alerts.port) if alerts else None,
        ready_timeout=file.ready_timeout,
    )
