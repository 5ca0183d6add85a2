"""What is done to hosts, wherever they are: set up, looked at, and worked on by a candidate's playbook."""

from __future__ import annotations

import shlex
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from testinfra.host import Host as Connection

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.parts import split_parts
from pytest_itbench.domain.scenario import Scenario, Step
from pytest_itbench.environments.docker.ansible import playbook_command, playbook_environment, read_events
from pytest_itbench.environments.docker.engine import Member, random_name
from pytest_itbench.environments.docker.guard import Guard
from pytest_itbench.environments.docker.inventory import render_inventory
from pytest_itbench.environments.docker.probe import CheckTimeout, ProbeBackend, ProbeShell
from pytest_itbench.environments.docker.stream import Link, Ran
from pytest_itbench.errors import HostStopped, NotReady

CONTROL = "control"
OPS = 1000
WORK = "/home/ops/work"
PLAYBOOK = f"{WORK}/playbook.yml"
KEY = "/home/ops/.ssh/id_ed25519"
AUTHORIZED = "/home/ops/.ssh/authorized_keys"
INVENTORY = "/etc/ansible/hosts.yml"
SSH_WAIT = 20.0
SSH_LISTENS = "cat /proc/net/tcp /proc/net/tcp6 | grep -q ':0016 .* 0A '"
# sshd is a daemon and not the main process, so that a candidate may restart it.
SERVE = ("/usr/sbin/sshd", "exec sleep infinity")


class HostsEnvironment(ABC):
    """The part of an environment of hosts that does not depend on what its machines are."""

    def __init__(self, scenario: Scenario, check_timeout: float) -> None:
        """Nothing is started yet.

        Args:
            scenario: whose hosts these are.
            check_timeout: seconds that one command of a validator may take.
        """
        self._scenario, self._check_timeout = scenario, check_timeout
        self._steps: tuple[tuple[str, Step], ...] = ()
        self._shells: dict[str, ProbeShell] = {}

    @property
    @abstractmethod
    def guard(self) -> Guard:
        """Who looks into trouble with the machines."""

    @abstractmethod
    def find_container(self, host: str) -> str:
        """What the machine is called where it is."""

    @abstractmethod
    def _open_link(self, container: str, command: Sequence[str]) -> Link:
        """Start a command of root, with a standard input."""

    @abstractmethod
    def _put(self, container: str, members: Sequence[Member]) -> None:
        """Write files."""

    @abstractmethod
    def _run(self, container: str, command: Sequence[str], timeout: float) -> Ran:
        """Run a command as root; one that is given up keeps running."""

    @abstractmethod
    def _run_as_ops(
        self, container: str, command: Sequence[str], timeout: float, environment: Mapping[str, str]
    ) -> Ran:
        """The same as the user ops, where playbooks are run."""

    # --- make ready --------------------------------------------------------------------------------------------

    def _leave_out(self, done: int) -> None:
        """Note which steps of setup and trigger are still to be done."""
        steps = [("setup", step) for step in self._scenario.setup]
        steps += [("trigger", step) for step in self._scenario.trigger]
        self._steps = tuple(steps[done:])

    def _equip_control(self, private: bytes) -> None:
        """Give the control machine its key and inventory."""
        container = self.find_container(CONTROL)
        files = [
            Member(path=KEY, content=private, mode=0o600, uid=OPS),
            Member(path=INVENTORY, content=render_inventory(self._scenario.hosts)),
        ]
        self.guard.persist(CONTROL, container, partial(self._put, container, files))

    def _await_ssh(self) -> None:
        for host in self._scenario.hosts:
            self._await(host.name, SSH_LISTENS, SSH_WAIT, "its ssh server does not answer")

    def prepare(self) -> None:
        """What is left of setup and trigger, then the probes."""
        for phase, step in self._steps:
            self._run_step(phase, step)
        for probe in self._scenario.probes:
            self._await(probe.host, probe.command, probe.timeout, f"its probe does not succeed: {probe.command}")

    def run_step(self, step: Step) -> None:
        """Do a step of setup or trigger."""
        self._run_step("setup" if step in self._scenario.setup else "trigger", step)

    def _run_step(self, phase: str, step: Step) -> None:
        for name in step.hosts or (CONTROL,):
            if failure := self._do(step, name):
                raise NotReady(f"{phase}: {failure}")

    def _do(self, step: Step, name: str) -> str:
        """Do a step on one machine; how it failed, or nothing."""
        content, timeout = step.path.read_bytes(), self._scenario.limits.setup
        if step.kind == "playbook":
            played = self._play(content, timeout)
            status, where, text = played.status, "", played.output
        else:
            container, where = self.find_container(name), f" on {name}"
            self._put(container, [Member(path="/run/itbench-step", content=content, mode=0o700)])
            command = 'chmod 700 "$0"; "$0"; status=$?; rm -f "$0"; exit $status'
            ran = self._run(container, ["sh", "-c", command, "/run/itbench-step"], timeout)
            status, text = ran.status, ran.text
        return f"{step.path.name} failed{where} (status {status}):\n{text[-2000:]}" if status != 0 else ""

    def _await(self, host: str, command: str, timeout: float, problem: str) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                status, stdout, stderr = self._run_watched(host)(command)
            except (CheckTimeout, HostStopped) as error:
                raise NotReady(f"{host}: {problem}: {error}") from error
            if status == 0:
                return
            if time.monotonic() > deadline:
                seen = (stdout + stderr).decode(errors="replace").strip()[-500:]
                log = self.guard.read_log(self.find_container(host))[-1000:]
                message = f"{host}: {problem} within {timeout:g} s; last status {status} {seen}\n{log}"
                raise NotReady(message, cause="slow start", retries=1)
            time.sleep(0.02)

    def look(self, command: str) -> str:
        """What a command prints on all hosts together."""
        runs = [self._run_watched(host.name)(command) for host in self._scenario.hosts]
        return "".join(stdout.decode(errors="replace") for _, stdout, _ in runs)

    # --- validators' connections -------------------------------------------------------------------------------

    def _open_shell(self, host: str) -> ProbeShell:
        """The host's open shell, or a new one; everything up to the end of `connect` shares it."""
        if host not in self._shells:
            container = self.find_container(host)
            make = partial(ProbeShell, partial(self._open_link, container), self._check_timeout)
            self._shells[host] = self.guard.persist(host, container, make)
        return self._shells[host]

    def _run_watched(self, host: str) -> Callable[[str], tuple[int, bytes, bytes]]:
        def run(command: str) -> tuple[int, bytes, bytes]:
            shell = self._open_shell(host)
            with self.guard.watch(host, self.find_container(host)):
                return shell.run(command)

        return run

    @contextmanager
    def connect(self) -> Iterator[Mapping[str, Connection]]:
        """One shell per host; all of them end with the block."""
        try:
            for host in self._scenario.hosts:
                self._open_shell(host.name)
            yield {name: Connection(ProbeBackend(name, self._run_watched(name))) for name in self._shells}
        finally:
            self._close_shells()

    def _close_shells(self) -> None:
        while self._shells:
            self._shells.popitem()[1].close()

    # --- the candidate -----------------------------------------------------------------------------------------

    def apply(self, candidate: str) -> Application:
        """Run the candidate's playbook, from the control machine."""
        self.guard.applied = True
        playbook = split_parts(self._scenario.candidate, candidate).get("playbook.yml", "")
        return self._play(playbook.encode(), self._scenario.limits.candidate)

    def change(self) -> str:
        """The scenario's steps between two runs, up to the first that fails."""
        for step in self._scenario.between:
            for name in step.hosts or (CONTROL,):
                with self.guard.watch(name, self.find_container(name)):
                    failure = self._do(step, name)
                if failure:
                    return failure
        return ""

    def refuse_disturbance(self) -> None:  # noqa: B027  # no provider of hosts has anything to add
        """What happens to a host is told when a command meets it."""

    def _play(self, playbook: bytes, timeout: float) -> Application:
        mark, container = random_name(), self.find_container(CONTROL)
        files = [Member(path=PLAYBOOK, content=playbook, uid=OPS)]
        self.guard.persist(CONTROL, container, partial(self._put, container, files))
        with self.guard.watch(CONTROL, container):
            environment = playbook_environment(mark, playbook)
            ran = self._run_as_ops(container, playbook_command(PLAYBOOK), timeout, environment)
        told = read_events(ran.stderr.decode(errors="replace"), mark)
        output = ran.stdout.decode(errors="replace") + told.rest
        return Application(
            status=ran.status, output=output, events=told.events, seconds=ran.seconds, complete=told.complete
        )


def describe_start(public: bytes) -> list[str]:
    """The commands with which a host's start begins; who has the key may log in."""
    return [
        f"mkdir -p /run/sshd {AUTHORIZED.rpartition('/')[0]}",
        f"printf '%s\\n' {shlex.quote(public.decode().strip())} >{AUTHORIZED}",
        f"chmod 644 {AUTHORIZED}",
    ]


def run_together(jobs: Sequence[Callable[[], None]]) -> None:
    """Do all at once; the first failure is raised once each of them has ended."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()
