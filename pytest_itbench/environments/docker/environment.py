"""One attempt's containers: hosts on a network without a way out, and the machine from which the candidate runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial

from docker.errors import APIError, NotFound

from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Host, HostLimits, Scenario
from pytest_itbench.environments.base import Ground
from pytest_itbench.environments.docker.checkpoint import BOOT_LIST, Start
from pytest_itbench.environments.docker.engine import LABEL, Member, random_name
from pytest_itbench.environments.docker.guard import Guard
from pytest_itbench.environments.docker.inventory import make_key
from pytest_itbench.environments.docker.leftovers import keep_machines
from pytest_itbench.environments.docker.lookout import ContainerLookout
from pytest_itbench.environments.docker.machine import USUAL_CAPABILITIES, Machine, create_machine
from pytest_itbench.environments.docker.network import create_network, open_gateways
from pytest_itbench.environments.docker.place import Place
from pytest_itbench.environments.docker.probe import MOUNT
from pytest_itbench.environments.docker.stream import Link, Ran
from pytest_itbench.environments.docker.subnets import Subnet, find_addresses
from pytest_itbench.environments.hosts import (
    CONTROL,
    OPS,
    SERVE,
    WORK,
    HostsEnvironment,
    describe_start,
    run_together,
)

CONTROL_LIMITS = HostLimits(memory=1024**3, cpus=2.0, pids=512, disk=512 * 1024**2)
GATEWAY_LIMITS = HostLimits(memory=64 * 1024**2, cpus=0.5, pids=256, disk=16 * 1024**2)
CPUS_EACH = 0.5
"""Processors that a machine keeps busy, over the length of an attempt."""
CONFLICT = 409
RECORDING_TIMEOUT = 60.0
"""Seconds that the harness's own commands may take while a checkpoint is made."""


class DockerEnvironment(HostsEnvironment):
    """Implements `environments.base.Environment`, and `checkpoint.Recorder`."""

    def __init__(self, scenario: Scenario, ground: Ground, place: Place, start: Start | None = None) -> None:
        """Nothing is started yet.

        Args:
            scenario: whose hosts these are.
            ground: what they are for.
            place: where they are.
            start: their images; given when a checkpoint is made, found otherwise.
        """
        super().__init__(scenario, RECORDING_TIMEOUT if start else scenario.limits.check)
        self._ground, self._place, self._given = ground, place, start
        self._engine = place.engine
        self._renew()

    def _renew(self) -> None:
        self.name = f"itbench-{random_name()[:12]}"
        self._started: list[str] = []
        self._kept = False
        self._guard: Guard | None = None

    @property
    def guard(self) -> Guard:
        """Who looks into trouble with the machines."""
        if self._guard is None:
            self._guard = Guard(ContainerLookout(self._engine, self._place.witness, self._place.disk))
        return self._guard

    # --- start -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Create and start the network and the machines, hosts and control at once."""
        self._renew()
        self._place.witness.start(self._place.images.control_image())
        start = self._given or self.find_start()
        self._leave_out(start.done)
        control, tools = self._place.images.control_image(), self._place.images.probe_volume()
        private, public = make_key()
        subnet = create_network(self._engine, self.name, self._labels(), self._place.pools, self._place.facts.routes)
        names = open_gateways(self._scenario.network, subnet, partial(self._start_gateway, control))
        hosts = [
            self._describe_host(host, start.images[host.name], tools, public, names) for host in self._scenario.hosts
        ]
        # The main process of the control machine is root's, so that a candidate, who is not, cannot end it.
        first = Machine(name=CONTROL, image=control, command=("sleep", "infinity"), limits=CONTROL_LIMITS)
        machines = [first, *hosts]
        if self._engine.is_podman:
            machines = name_by_files(machines, subnet, len(names))
        run_together([partial(self._start_machine, machine) for machine in machines])
        run_together([partial(self._equip_control, private), self._await_ssh])

    def find_start(self) -> Start:
        """From where it starts: the scenario's checkpoint, which is made if there is none."""
        return self._place.find_start(self._scenario, self._record)

    def _record(self, start: Start) -> DockerEnvironment:
        return DockerEnvironment(self._scenario, self._ground, self._place, start)

    def _describe_host(self, host: Host, image: str, tools: str, public: bytes, names: Mapping[str, str]) -> Machine:
        lines = ["set -e", *describe_start(public), *host.start, *SERVE]
        if self._given:
            lines.insert(1, f"{MOUNT}/find /run >{BOOT_LIST}")
        return Machine(
            name=host.name,
            image=image,
            command=("/bin/sh", "-c", "\n".join(lines)),
            limits=host.limits,
            capabilities=(*USUAL_CAPABILITIES, *host.capabilities),
            environment=host.environment,
            volumes={tools: MOUNT},
            names=names,
        )

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

    # --- what `HostsEnvironment` asks for ---------------------------------------------------------------------

    def find_container(self, host: str) -> str:
        """The container of a host."""
        return f"{self.name}-{host}"

    def _open_link(self, container: str, command: Sequence[str]) -> Link:
        return self._engine.open_link(container, command)

    def _put(self, container: str, members: Sequence[Member]) -> None:
        self._engine.put_files(container, members)

    def _run(self, container: str, command: Sequence[str], timeout: float) -> Ran:
        return self._engine.run(container, command, timeout=timeout)

    def _run_as_ops(
        self, container: str, command: Sequence[str], timeout: float, environment: Mapping[str, str]
    ) -> Ran:
        return self._engine.run(
            container, command, timeout=timeout, user=f"{OPS}:{OPS}", workdir=WORK, environment=environment
        )

    # --- the candidate -----------------------------------------------------------------------------------------

    def end_candidate(self) -> None:
        """Kill the control machine; a candidate may have stopped it itself."""
        with self._engine.errors("stopping the control machine"), suppress(NotFound):
            try:
                self._engine.api.kill(self.find_container(CONTROL))
            except APIError as error:
                if error.status_code != CONFLICT:  # it does not run any more
                    raise

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
