"""A scenario directory as a domain value, or the list of everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from pytest_itbench.domain import scenario as domain
from pytest_itbench.errors import BrokenScenario, ScenarioMistake
from pytest_itbench.loading import scenario_file as raw
from pytest_itbench.loading.cluster_file import ClusterFile
from pytest_itbench.loading.cluster_reader import ClusterReader
from pytest_itbench.loading.explaining import explain
from pytest_itbench.loading.prompt_file import find_prompt_problem
from pytest_itbench.loading.yaml_file import Location, find_line, load_yaml

FILE_NAME = "scenario.yaml"
PROMPT = "prompt.md.j2"
SOLUTION = "solution"
DEFAULT_VALIDATORS = ("validate.py", "validate.sh")


@cache
def load_scenario(path: Path) -> domain.Scenario:
    """Read ``scenario.yaml`` and look at every file that it names.

    Raises:
        BrokenScenario: with one mistake per problem found.
    """
    return _Reader(path).read()


def find_scenario_files(root: Path, skip: Sequence[str] = ()) -> Iterator[Path]:
    """All ``scenario.yaml`` below `root`, sorted; directories whose name matches `skip` are not entered."""
    root = Path(os.path.abspath(root))  # noqa: PTH100  # patterns name paths as they were given, symlinks and all
    if any(root.match(pattern) for pattern in skip if os.path.isabs(pattern)):  # noqa: PTH117
        return
    if root.is_file():
        if root.name == FILE_NAME:
            yield root
        return
    if (root / FILE_NAME).is_file():
        yield root / FILE_NAME
        return  # what lies below a scenario belongs to it
    for entry in sorted(root.iterdir()) if root.is_dir() else ():
        if entry.is_dir() and not any(entry.match(pattern) for pattern in skip):
            yield from find_scenario_files(entry, skip)


def find_duplicates(scenarios: Sequence[domain.Scenario]) -> list[ScenarioMistake]:
    """One mistake for every scenario whose id another one already has."""
    first: dict[str, domain.Scenario] = {}
    mistakes = []
    for scenario in scenarios:
        earlier = first.setdefault(scenario.id, scenario)
        if earlier.directory != scenario.directory:
            path = scenario.directory / FILE_NAME
            problem = f"id {scenario.id!r} is already taken by {earlier.directory / FILE_NAME}"
            mistakes.append(ScenarioMistake(path, find_line(path, ("id",)), problem))
    return mistakes


class _Reader:
    """Reads one scenario; collects problems so that the user sees all of them at once."""

    def __init__(self, path: Path) -> None:
        self.path, self.directory = path, path.parent
        self.mistakes: list[ScenarioMistake] = []

    def read(self) -> domain.Scenario:
        try:
            content = load_yaml(self.path)
        except ScenarioMistake as mistake:
            raise BrokenScenario([mistake]) from None
        try:
            file = raw.ScenarioFile.model_validate(content)
        except ValidationError as error:
            for each in error.errors():
                self._complain(*explain(each, raw.ScenarioFile))
            raise BrokenScenario(sorted(self.mistakes, key=lambda mistake: mistake.line or 0)) from None
        scenario = self._convert(file)
        if self.mistakes:
            raise BrokenScenario(sorted(self.mistakes, key=lambda mistake: mistake.line or 0))
        return scenario

    def _complain(self, location: Location, problem: str) -> None:
        self.mistakes.append(ScenarioMistake(self.path, find_line(self.path, location), problem))

    def _file(self, name: str, *location: str | int) -> Path:
        """A file that belongs to the scenario; complains when it does not exist or lies outside."""
        path = self.directory / name
        if not path.resolve().is_relative_to(self.directory.resolve()):
            self._complain(location, f"{name!r} lies outside the scenario's directory")
        elif not path.is_file():
            self._complain(location, f"file {name!r} does not exist")
        return path

    def _convert(self, file: raw.ScenarioFile) -> domain.Scenario:
        self._find_misplaced(file)
        hosts = tuple(self._host(name, host) for name, host in file.hosts.items())
        names = [host.name for host in hosts]
        prompt = self._file(PROMPT)
        if prompt.is_file() and (problem := find_prompt_problem(prompt)):
            self.mistakes.append(ScenarioMistake(prompt, *problem))
        return domain.Scenario(
            id=file.id or self._directory_name(),
            title=file.title,
            directory=self.directory,
            domain=file.domain,
            difficulty=file.difficulty,
            tags=tuple(file.tags),
            hosts=hosts,
            setup=tuple(self._step("setup", i, step, names) for i, step in enumerate(file.setup)),
            trigger=tuple(self._step("trigger", i, step, names) for i, step in enumerate(file.trigger)),
            probes=tuple(self._probe(i, probe, names) for i, probe in enumerate(file.probes)),
            between=tuple(self._step("between", i, step, names) for i, step in enumerate(file.between)),
            validators=self._validators(file, names),
            limits=domain.TimeLimits(**file.limits.model_dump()),
            idempotent=file.idempotent,
            prompt=prompt,
            solution=tuple(self._file(f"{SOLUTION}/{part}") for part in domain.PARTS[file.candidate]),
            candidate=file.candidate,
            needs=tuple(file.needs),
            cluster=self._cluster(file.cluster) if file.cluster else None,
            counterexamples=tuple(self._counterexample(i, c) for i, c in enumerate(file.counterexamples)),
            network=tuple(domain.Grant(name=grant.name, ports=tuple(grant.ports)) for grant in file.network),
        )

    def _find_misplaced(self, file: raw.ScenarioFile) -> None:
        """Complain of hosts or a cluster that the candidate has no use for, and of those that it lacks."""
        given = [place for place in ("hosts", "cluster") if getattr(file, place)]
        wanted = raw.PLACES.get(file.candidate, "")
        if wanted and wanted not in given:
            self._complain(("candidate",), f"candidate {str(file.candidate)!r} is run on {wanted}: describe {wanted!r}")
        for place in given:
            if place != wanted:
                there = f"is run on {wanted}" if wanted else "is run nowhere, but looked at"
                self._complain((place,), f"candidate {str(file.candidate)!r} {there}: take out {place!r}")
        for key in () if file.hosts else ("setup", "trigger", "probes", "between", "network"):
            if getattr(file, key):
                self._complain((key,), f"{key!r} is about hosts, and there are none: take it out")

    def _cluster(self, file: ClusterFile) -> domain.Cluster:
        return ClusterReader(self._file, self._complain, self.directory).read(file)

    def _directory_name(self) -> str:
        name = self.directory.resolve().name
        if not _is_name(name):
            self._complain((), f"directory name {name!r} cannot be the scenario's id (lower case, digits, -): set id")
        return name

    def _host(self, name: str, host: raw.HostFileSet) -> domain.Host:
        at = ("hosts", name)
        if name in ("all", "ungrouped", "localhost", "hosts", "host", "control", "candidate", "score", "cluster"):
            self._complain(at, f"host name {name!r} has a meaning of its own; choose another")
        return domain.Host(
            name=name,
            image=host.image or ("" if host.dockerfile else "debian"),
            dockerfile=self._file(host.dockerfile, *at, "dockerfile") if host.dockerfile else None,
            packages=tuple(host.packages),
            files=tuple(
                domain.HostFile(
                    source=self._file(f.src, *at, "files", i, "src"),
                    destination=f.dest,
                    owner=f.owner,
                    group=f.group,
                    mode=f.mode,
                )
                for i, f in enumerate(host.files)
            ),
            environment=tuple(host.environment.items()),
            groups=tuple(host.groups),
            start=tuple(host.start),
            capabilities=tuple(host.capabilities),
            limits=domain.HostLimits(**host.limits.model_dump()),
        )

    def _known_host(self, name: str, names: list[str], *location: str | int) -> str:
        if name not in names:
            self._complain(location, f"unknown host {name!r}; hosts: {', '.join(names)}")
        return name

    def _step(self, phase: str, index: int, step: raw.StepFile, names: list[str]) -> domain.Step:
        if step.live and phase == "between":
            self._complain((phase, index, "live"), "what is done between two runs is always live: take it out")
        kind: domain.StepKind = "playbook" if step.playbook else "script"
        chosen = [self._known_host(h, names, phase, index, "hosts", i) for i, h in enumerate(step.hosts)]
        path = self._file(step.playbook or step.script or "", phase, index, kind)
        return domain.Step(
            kind=kind, path=path, hosts=tuple(chosen or (names if kind == "script" else ())), live=step.live
        )

    def _probe(self, index: int, probe: raw.ProbeFile, names: list[str]) -> domain.Probe:
        host = self._known_host(probe.host, names, "probes", index, "host")
        return domain.Probe(host=host, command=probe.command, timeout=probe.timeout)

    def _validators(self, file: raw.ScenarioFile, names: list[str]) -> tuple[domain.Validator, ...]:
        present = [name for name in DEFAULT_VALIDATORS if (self.directory / name).is_file()]
        entries = file.validators or [raw.ValidatorFile(path=name) for name in present]
        if not entries:
            self._complain((), f"no validator: write {' or '.join(DEFAULT_VALIDATORS)}")
        found = []
        for index, entry in enumerate(entries):
            if entry.path.endswith(".sh") and not names:
                self._complain(("validators", index), f"validator {entry.path!r} needs a host to run on")
            if not entry.path.endswith((".py", ".sh")):
                self._complain(("validators", index), f"validator {entry.path!r} is neither a .py nor a .sh file")
            host = (
                self._known_host(entry.host, names, "validators", index, "host")
                if entry.host
                else next(iter(names), "")
            )
            found.append(domain.Validator(path=self._file(entry.path, "validators", index), host=host))
        return tuple(found)

    def _counterexample(self, index: int, entry: raw.CounterexampleFile) -> domain.Counterexample:
        path = self._file(entry.path, "counterexamples", index, "path")
        name = path.stem if _is_name(path.stem) else f"counterexample-{index}"
        return domain.Counterexample(name=name, path=path, caught_by=entry.caught_by, why=entry.why)


def _is_name(text: str) -> bool:
    return text.isascii() and text.replace("-", "").isalnum() and text == text.lower() and text.strip("-") == text
