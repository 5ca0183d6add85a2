"""Environments without any machine, registered as ``fake``: to test a model, a solver or a report in milliseconds.

A fake host knows the file ``/candidate``, which holds what was applied last. A candidate asks for trouble by lines of
its own::

    # fake: fail some message      the run ends with status 2 and a failed task
    # fake: change                 every run reports a change
    # fake: timeout                the run does not end in time
    # fake: stop                   the first host stops
    # fake: engine                 the engine fails
    # fake: hiccup                 the engine fails the first time
    # fake: die                    the process that runs the attempt dies
    # fake: sleep 0.5              the run takes so many seconds
    # fake: refuse some message    what the scenario does between two runs fails

A second file, ``/changes``, holds a line for each change between two runs.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from pytest_itbench.domain.application import Application, Event, EventKind
from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.bare import BareEnvironment, BareProvider
from pytest_itbench.environments.base import Ground, ProviderOptions
from pytest_itbench.errors import EngineTrouble, HostStopped, NotReady

DIRECTIVE = re.compile(r"^\s*# fake: (\w+) ?(.*)$", re.MULTILINE)


class FakeBackend(BaseBackend):  # type: ignore[misc]  # testinfra ships no types
    """Knows ``cat`` of its two files and ``hostname``; every other command fails with status 127."""

    NAME = "fake"

    def __init__(self, hostname: str, environment: FakeEnvironment) -> None:
        super().__init__(hostname)
        self._environment = environment

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Answer one of the commands that are known."""
        text = self.get_command(command, *args)
        if self._environment.stopped:
            raise HostStopped(f"{self.hostname} stopped")
        known = {
            "cat /candidate": self._environment.applied,
            "cat /changes": self._environment.changes,
            "hostname": f"{self.hostname}\n",
        }
        if text not in known:
            return CommandResult(self, 127, text.encode(), b"", f"{text}: not known to a fake host".encode())
        return CommandResult(self, 0, text.encode(), known[text].encode(), b"")


class FakeEnvironment(BareEnvironment):
    """Hosts that hold what was applied."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.applied, self.changes, self.stopped, self.hiccups = "", "", False, 0

    def start(self) -> None:
        """Nothing to start; a scenario tagged ``fake-broken`` cannot be started."""
        if "fake-broken" in self._scenario.tags:
            raise EngineTrouble("the fake engine is broken", hint="remove the tag fake-broken")

    def prepare(self) -> None:
        """Nothing to prepare; a scenario tagged ``fake-unready`` does not become ready."""
        if "fake-unready" in self._scenario.tags:
            raise NotReady("setup: the fake step failed")

    @contextmanager
    def connect(self) -> Iterator[Mapping[str, Host]]:
        """The hosts of the scenario."""
        if self.stopped:
            raise HostStopped(f"{self._scenario.hosts[0].name} stopped")
        yield {host.name: Host(FakeBackend(host.name, self)) for host in self._scenario.hosts}

    def apply(self, candidate: str) -> Application:
        """Remember the candidate, and do what its lines ask for."""
        self.applied, name = candidate, self._scenario.hosts[0].name
        status: int | None = 0
        events: list[Event] = []
        for verb, rest in DIRECTIVE.findall(candidate):
            match verb:
                case "fail":
                    status = 2
                    events.append(Event(kind=EventKind.FAILED, host=name, task="fake", action="fake", message=rest))
                case "change":
                    events.append(Event(kind=EventKind.CHANGED, host=name, task="fake", action="fake", changed=True))
                case "timeout":
                    status = None
                case "stop":
                    self.stopped = True
                case "engine":
                    raise EngineTrouble("the fake engine went away")
                case "hiccup" if not self.hiccups:
                    self.hiccups += 1
                    raise EngineTrouble("the fake engine had a hiccup", cause="hiccup", retries=1)
                case "die":
                    os._exit(9)
                case "sleep":
                    time.sleep(float(rest))
        return Application(
            status=status, output=f"applied {len(candidate)} characters\n", events=tuple(events), seconds=0.0
        )

    def change(self) -> str:
        """Note the steps, unless the candidate has them refused."""
        refused = [rest for verb, rest in DIRECTIVE.findall(self.applied) if verb == "refuse"]
        if not refused:
            self.changes += "".join(f"{step.path.name}\n" for step in self._scenario.between)
        return " ".join(refused)

    def keep(self) -> str:
        """Nothing to keep."""
        return f"fake enter {self._scenario.hosts[0].name}"

    def stop(self) -> None:
        """Forget what was applied."""
        self.applied, self.changes, self.stopped = "", "", False


class FakeProvider(BareProvider):
    """Gives every attempt such an environment."""

    def __init__(self, options: ProviderOptions) -> None:
        super().__init__(options)
        self._capacity = dict(options.capacity)

    def find_places(self) -> dict[str, Load]:
        """One place, with room for a thousand, or with what `--itbench-capacity` says."""
        return {"fake": Load(**{"memory": 1000.0, "cpus": 1000.0, "pids": 1000.0, "disk": 1000.0, **self._capacity})}

    def measure(self, scenario: Scenario) -> Load:
        """One of each."""
        del scenario
        return Load(memory=1, cpus=1, pids=1, disk=1)

    def create(self, scenario: Scenario, ground: Ground, place: str) -> FakeEnvironment:
        """An environment of nothing."""
        del ground, place
        return FakeEnvironment(scenario)

    def diagnose(self) -> Iterator[tuple[bool, str]]:
        """Always well."""
        yield True, "fake environments: always there"
