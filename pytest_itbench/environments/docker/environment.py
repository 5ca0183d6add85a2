"""One attempt's containers: hosts on a network without a way out, and the machine from which the candidate runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from functools import partial

from docker.errors import APIError, NotFound
from testinfra.host import Host as Connection

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Host, HostLimits, Scenario, Step
from pytest_itbench.environments.base import Ground
from pytest_itbench.environments.docker.ansible import playbook_command, playbook_environment, read_events
from pytest_itbench.environments.docker.checkpoint import BOOT_LIST, Start
from pytest_itbench.environments.docker.engine import LABEL, Member, random_name
from pytest_itbench.environments.docker.guard import Guard
from pytest_itbench.environments.docker.inventory import make_key, render_inventory
from pytest_itbench.environments.docker.leftovers import keep_machines
from pytest_itbench.environments.docker.machine import USUAL_CAPABILITIES, Machine, create_machine
from pytest_itbench.environments.docker.network import create_network, open_gateways
from pytest_itbench.environments.docker.place import Place
from pytest_itbench.environments.docker.probe import MOUNT, CheckTimeout, ProbeBackend, ProbeShell
from pytest_itbench.environments.docker.subnets import Subnet, find_addresses
from pytest_itbench.errors import HostStopped, NotReady

CONTROL = "control"
CONTROL_LIMITS = HostLimits(memory=1024**3, cpus=2.0, pids=512, disk=512 * 1024**2)
GATEWAY_LIMITS = HostLimits(memory=64 * 1024**2, cpus=0.5, pids=256, disk=16 * 1024**2)
CPUS_EACH = 0.5
"""Processors that a machine keeps busy, over the length of an attempt."""
OPS = 1000
CONFLICT = 409
SSH_WAIT = 20.0
SSH_LISTENS = "cat /proc/net/tcp /proc/net/tcp6 | grep -q ':0016 .* 0A '"
WORK = "/home/ops/work"
PLAYBOOK = f"{WORK}/playbook.yml"
RECORDING_TIMEOUT = 60.0
"""Seconds that the harness's own commands may take while a checkpoint is made."""


class DockerEnvironment:
    """Implements `environments.base.Environment`, and `checkpoint.Recorder`."""

    def __init__(self, scenario: Scenario, ground: Ground, place: Place, start: Start | None = None) -> None:
        """Nothing is started yet.

        Args:
            scenario: whose hosts these are.
            ground: what they are for.
            place: where they are.
            start: their images; given when a checkpoint is made, found otherwise.
        """
        self._scenario, self._ground, self._place, self._given = scenario, ground, place, start
        self._engine = place.engine
        self._steps: tuple[tuple[str, Step], ...] = ()
        self._renew()

    def _renew(self) -> None:
        self.name = f"itbench-{random_name()[:12]}"
        self._started: list[str] = []
        self._shells: dict[str, ProbeShell] = {}
        self._kept = False
        self._guard: Guard | None = None

    @property
    def guard(self) -> Guard:
        """Who looks into trouble with the machines."""
        if self._guard is None:
            self._guard = Guard(self._engine, self._place.witness, self._place.disk)
        return self._guard

    # --- start -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Create and start the network and the machines, hosts and control at once."""
        self._renew()
        self._place.witness.start(self._place.images.control_image())
        start = self._given or self.find_start()
        steps = [("setup", step) for step in self._scenario.setup]
        steps += [("trigger", step) for step in self._scenario.trigger]
        self._steps = tuple(steps[start.done :])
        control, tools = self._place.images.control_image(), self._place.images.probe_volume()
        private, public = make_key()
        subnet = create_network(self._engine, self.name, self._labels(), self._place.pools, self._place.facts.routes)
        names = open_gateways(self._scenario.network, subnet, partial(self._start_gateway, control))
        hosts = [
            self._describe_host(host, start.images[host.name], tools, public, names) for host in self._scenario.hosts
        ]
        machines = [self._describe_control(control, private), *hosts]
        if self._engine.is_podman:
            machines = name_by_files(machines, subnet, len(names))
        _run_together([partial(self._start_machine, machine) for machine in machines])
        self._await_ssh()

    def find_start(self) -> Start:
        """From where it starts: the scenario's checkpoint, which is made if there is none."""
        return self._place.find_start(self._scenario, self._record)

    def _record(self, start: Start) -> DockerEnvironment:
        return DockerEnvironment(self._scenario, self._ground, self._place, start)

    def _describe_host(self, host: Host, image: str, tools: str, public: bytes, names: Mapping[str, str]) -> Machine:
        # sshd is a daemon and not the main process, so that a candidate may restart it.
        lines = ["set -e", "mkdir -p /run/sshd", *host.start, "/usr/sbin/sshd", "exec sleep infinity"]
        if self._given:
            lines.insert(1, f"{MOUNT}/find /run >{BOOT_LIST}")
        return Machine(
            name=host.name,
            image=image,
            command=("/bin/sh", "-c", "\n".join(lines)),
            limits=host.limits,
            capabilities=(*USUAL_CAPABILITIES, *host.capabilities),
            files=(Member(path="/home/ops/.ssh/authorized_keys", content=public, mode=0o644),),
            environment=host.environment,
            volumes={tools: MOUNT},
            names=names,
        )

    def _describe_control(self, image: str, private: bytes) -> Machine:
        # Its main process is root's, so that a candidate, who is not, cannot end it.
        files = (
            Member(path="/home/ops/.ssh/id_ed25519", content=private, mode=0o600, uid=OPS),
            Member(path="/etc/ansible/hosts.yml", content=render_inventory(self._scenario.hosts)),
        )
        return Machine(name=CONTROL, image=image, command=("sleep", "infinity"), limits=CONTROL_LIMITS, files=files)

    def _start_gateway(self, image: str, name: str, address: str, command: list[str]) -> None:
        self._start_machine(
            Machine(
                name=name, image=image, command=tuple(command), limits=GATEWAY_LIMITS, outside=True, address=address
            )
        )

    def _start_machine(self, machine: Machine) -> None:
        container = self.find_container(machine.name)
        self._started.append(machine.name)
        create_machine(self._engine, machine, container=container, network=self.name, labels=self._labels())
        with self._engine.errors(f"starting {machine.name}"):
            self._engine.api.start(container)
        self._place.disk.add(container, machine.limits.disk)

    def _labels(self) -> dict[str, str]:
        ground = self._ground
        return {
            LABEL: "attempt",
            f"{LABEL}.run": ground.run,
            f"{LABEL}.worker": ground.worker,
            f"{LABEL}.attempt": str(ground.key),
            f"{LABEL}.owner": ground.owner,
            f"{LABEL}.network": self.name,
            f"{LABEL}.load": json.dumps(asdict(measure_load(self._scenario))),
        }

    def find_container(self, host: str) -> str:
        """The container of a host."""
        return f"{self.name}-{host}"

    # --- make ready --------------------------------------------------------------------------------------------

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
        content, timeout = step.path.read_bytes(), self._scenario.limits.setup
        if step.kind == "playbook":
            ran = self._play(content, timeout)
            if ran.status != 0:
                raise NotReady(f"{phase}: {step.path.name} failed (status {ran.status}):\n{ran.output[-2000:]}")
        for name in step.hosts:
            container = self.find_container(name)
            self._engine.put_files(container, [Member(path="/run/itbench-step", content=content, mode=0o700)])
            command = 'chmod 700 "$0"; "$0"; status=$?; rm -f "$0"; exit $status'
            done = self._engine.run(container, ["sh", "-c", command, "/run/itbench-step"], timeout=timeout)
            if done.status != 0:
                raise NotReady(
                    f"{phase}: {step.path.name} failed on {name} (status {done.status}):\n{done.text[-2000:]}"
                )

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
            limit = RECORDING_TIMEOUT if self._given else self._scenario.limits.check
            container = self.find_container(host)
            make = partial(ProbeShell, self._engine, container, limit)
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
        """Run the candidate as a playbook, from the control machine."""
        self.guard.applied = True
        return self._play(candidate.encode(), self._scenario.limits.candidate)

    def end_candidate(self) -> None:
        """Kill the control machine; a candidate may have stopped it itself."""
        with self._engine.errors("stopping the control machine"), suppress(NotFound):
            try:
                self._engine.api.kill(self.find_container(CONTROL))
            except APIError as error:
                if error.status_code != CONFLICT:  # it does not run any more
                    raise

    def _play(self, playbook: bytes, timeout: float) -> Application:
        mark, container = random_name(), self.find_container(CONTROL)
        files = [Member(path=PLAYBOOK, content=playbook, uid=OPS)]
        self.guard.persist(CONTROL, container, partial(self._engine.put_files, container, files))
        with self.guard.watch(CONTROL, container):
            ran = self._engine.run(
                container,
                playbook_command(PLAYBOOK),
                timeout=timeout,
                user=f"{OPS}:{OPS}",
                workdir=WORK,
                environment=playbook_environment(mark, playbook),
            )
        told = read_events(ran.stderr.decode(errors="replace"), mark)
        output = ran.stdout.decode(errors="replace") + told.rest
        return Application(
            status=ran.status, output=output, events=told.events, seconds=ran.seconds, complete=told.complete
        )

    # --- the end -----------------------------------------------------------------------------------------------

    def read_logs(self) -> dict[str, str]:
        """The last lines of each container's log."""
        return {name: self.guard.read_log(self.find_container(name)) for name in sorted(self._started)}

    def keep(self) -> str:
        """Leave the machines as they are, out of reach of every sweep; gives the command to enter the first host."""
        self._kept = True
        containers = [self.find_container(name) for name in self._started]
        return keep_machines(self._engine, containers, self.find_container(self._scenario.hosts[0].name))

    def stop(self) -> None:
        """Hand the containers and the network to the background remover."""
        self._close_shells()
        started, self._started = [self.find_container(name) for name in self._started], []
        for container in started:
            self._place.disk.forget(container)
        if self._kept:
            return
        self._place.remove(started, self.name)


def measure_load(scenario: Scenario) -> Load:
    """What the machines of an attempt may use together, at their limits; of processors, what they keep busy."""
    machines = [CONTROL_LIMITS, *(host.limits for host in scenario.hosts), *(GATEWAY_LIMITS for _ in scenario.network)]
    return Load(
        memory=sum(limits.memory for limits in machines),
        cpus=sum(min(limits.cpus, CPUS_EACH) for limits in machines),
        pids=sum(limits.pids for limits in machines),
        disk=sum(limits.disk for limits in machines),
    )


def name_by_files(machines: Sequence[Machine], subnet: Subnet, taken: int) -> list[Machine]:
    """Machines that find each other without a name service, since Podman's would also ask others.

    Args:
        machines: those of one attempt.
        subnet: the network that they are on.
        taken: how many of the network's last addresses are given away.
    """
    addresses = find_addresses(subnet, taken + len(machines))[taken:]
    names = {machine.name: address for machine, address in zip(machines, addresses, strict=True)}
    return [replace(machine, address=names[machine.name], names={**machine.names, **names}) for machine in machines]


def _run_together(jobs: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()
