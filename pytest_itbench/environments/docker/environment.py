"""One attempt's containers: hosts on a network without a way out, and the machine from which the candidate runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from docker.errors import APIError, DockerException, NotFound
from testinfra.host import Host as Connection

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.scenario import Host, HostLimits, Scenario, Step
from pytest_itbench.environments.base import Ground
from pytest_itbench.environments.docker.ansible import playbook_command, playbook_environment, read_events
from pytest_itbench.environments.docker.engine import (
    LABEL,
    Member,
    connect_engine,
    engine_errors,
    put_files,
    random_name,
    run_in,
)
from pytest_itbench.environments.docker.image_store import ImageStore
from pytest_itbench.environments.docker.probe import MOUNT, CheckTimeout, ProbeBackend, ProbeShell, ShellLost
from pytest_itbench.errors import EngineTrouble, HostStopped, NotReady

LOG = logging.getLogger(__name__)
CONTROL = "control"
CONTROL_LIMITS = HostLimits(memory=1024**3, cpus=2.0, pids=512)
OPS = 1000
CONFLICT = 409
LOG_LINES = 400
SSH_WAIT = 20.0
# The engine's resolver knows the attempt's own names; it would ask others for all the rest, and wait for them.
NO_RESOLVER = "127.0.0.1"
# Without an address on its bridge, the machine that runs the engine cannot be reached from inside either.
NETWORK = {"com.docker.network.bridge.inhibit_ipv4": "true"}
SSH_LISTENS = "cat /proc/net/tcp /proc/net/tcp6 | grep -q ':0016 .* 0A '"
PLAYBOOK = "/home/ops/work/playbook.yml"


class DockerEnvironment:
    """Implements `environments.base.Environment`."""

    def __init__(self, scenario: Scenario, ground: Ground, images: ImageStore, remover: ThreadPoolExecutor) -> None:
        self._scenario, self._ground, self._images, self._remover = scenario, ground, images, remover
        self.name = f"itbench-{random_name()[:12]}"
        self._started: list[str] = []
        self._shells: dict[str, ProbeShell] = {}
        self._applied = False

    # --- start -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Create and start the network and the machines, hosts and control at once."""
        images = {host.name: self._images.host_image(host) for host in self._scenario.hosts}
        control, tools = self._images.control_image(), self._images.probe_volume()
        private, public = _make_key()
        with engine_errors("creating the attempt's network"):
            connect_engine().networks.create(self.name, internal=True, options=NETWORK, labels=self._labels())
        hosts = [partial(self._start_host, host, images[host.name], tools, public) for host in self._scenario.hosts]
        _run_together([partial(self._start_control, control, private), *hosts])
        self._await_ssh()

    def _start_host(self, host: Host, image: str, tools: str, public: bytes) -> None:
        # sshd is a daemon and not the main process, so that a candidate may restart it.
        lines = ["set -e", "mkdir -p /run/sshd", *host.start, "/usr/sbin/sshd", "exec sleep infinity"]
        self._run_container(
            host.name,
            image,
            ["/bin/sh", "-c", "\n".join(lines)],
            host.limits,
            [Member(path="/home/ops/.ssh/authorized_keys", content=public, mode=0o644)],
            environment=host.environment,
            volumes={tools: {"bind": MOUNT, "mode": "ro"}},
        )

    def _start_control(self, image: str, private: bytes) -> None:
        files = [
            Member(path="/home/ops/.ssh/id_ed25519", content=private, mode=0o600, uid=OPS),
            Member(path="/etc/ansible/hosts.yml", content=render_inventory(self._scenario.hosts)),
        ]
        bounds: dict[str, Any] = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
        self._run_container(CONTROL, image, ["sleep", "infinity"], CONTROL_LIMITS, files, **bounds)

    def _run_container(
        self,
        name: str,
        image: str,
        command: list[str],
        limits: HostLimits,
        files: list[Member],
        environment: tuple[tuple[str, str], ...] = (),
        **more: Any,
    ) -> None:
        with engine_errors(f"starting {name}"):
            container = connect_engine().containers.create(
                image,
                command,
                name=self._container(name),
                hostname=name,
                network=self.name,
                networking_config={self.name: connect_engine().api.create_endpoint_config(aliases=[name])},
                init=True,
                dns=[NO_RESOLVER],
                dns_opt=["timeout:1", "attempts:1"],
                labels=self._labels(),
                environment=dict(environment),
                mem_limit=limits.memory,
                memswap_limit=limits.memory,
                nano_cpus=int(limits.cpus * 1e9),
                pids_limit=limits.pids,
                **more,
            )
            self._started.append(name)
            put_files(self._container(name), files)
            container.start()

    def _labels(self) -> dict[str, str]:
        ground = self._ground
        return {
            LABEL: "attempt",
            f"{LABEL}.run": ground.run,
            f"{LABEL}.attempt": str(ground.key),
            f"{LABEL}.owner": ground.owner,
        }

    def _container(self, host: str) -> str:
        return f"{self.name}-{host}"

    # --- make ready --------------------------------------------------------------------------------------------

    def _await_ssh(self) -> None:
        for host in self._scenario.hosts:
            self._await(host.name, SSH_LISTENS, SSH_WAIT, "its ssh server does not answer")

    def prepare(self) -> None:
        """Setup, trigger, probes, in this order."""
        for phase, steps in (("setup", self._scenario.setup), ("trigger", self._scenario.trigger)):
            for step in steps:
                self._run_step(phase, step)
        for probe in self._scenario.probes:
            self._await(probe.host, probe.command, probe.timeout, f"its probe does not succeed: {probe.command}")

    def _run_step(self, phase: str, step: Step) -> None:
        content, timeout = step.path.read_bytes(), self._scenario.limits.setup
        if step.kind == "playbook":
            ran = self._play(content, timeout)
            if ran.status != 0:
                raise NotReady(f"{phase}: {step.path.name} failed (status {ran.status}):\n{ran.output[-2000:]}")
        for name in step.hosts:
            put_files(self._container(name), [Member(path="/run/itbench-step", content=content, mode=0o700)])
            command = 'chmod 700 "$0"; "$0"; status=$?; rm -f "$0"; exit $status'
            done = run_in(self._container(name), ["sh", "-c", command, "/run/itbench-step"], timeout=timeout)
            if done.status != 0:
                raise NotReady(
                    f"{phase}: {step.path.name} failed on {name} (status {done.status}):\n{done.text[-2000:]}"
                )

    def _await(self, host: str, command: str, timeout: float, problem: str) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                with self._watched(host):
                    status, stdout, stderr = self._shell(host).run(command)
            except (CheckTimeout, HostStopped) as error:
                raise NotReady(f"{host}: {problem}: {error}") from error
            if status == 0:
                return
            if time.monotonic() > deadline:
                seen = (stdout + stderr).decode(errors="replace").strip()[-500:]
                log = self._read_log(host)[-1000:]
                raise NotReady(f"{host}: {problem} within {timeout:g} s; last status {status} {seen}\n{log}")
            time.sleep(0.02)

    # --- validators' connections -------------------------------------------------------------------------------

    def _shell(self, host: str) -> ProbeShell:
        """The host's open shell, or a new one; everything up to the end of `connect` shares it."""
        if host not in self._shells:
            with self._watched(host):
                self._shells[host] = ProbeShell(self._container(host), self._scenario.limits.check)
        return self._shells[host]

    @contextmanager
    def _watched(self, host: str) -> Iterator[None]:
        """Trouble with a host that has stopped is that host's, not the engine's."""
        try:
            yield
        except EngineTrouble as trouble:
            with engine_errors(f"looking at {host}"):
                state = connect_engine().api.inspect_container(self._container(host))["State"]
            if state["Running"] and not (self._applied and isinstance(trouble, ShellLost)):
                raise
            if state["Running"]:  # the engine is well: something on the host ends the validators' shell
                raise HostStopped(f"{host} does not let validators in: {trouble.message}") from None
            log = self._read_log(host)[-1000:]
            raise HostStopped(f"{host} stopped with status {state['ExitCode']}\n{log}".strip()) from None

    @contextmanager
    def connect(self) -> Iterator[Mapping[str, Connection]]:
        """One shell per host; all of them end with the block."""
        try:
            yield {name: Connection(ProbeBackend(name, self._run_watched(name))) for name in self._open_shells()}
        finally:
            self._close_shells()

    def _open_shells(self) -> list[str]:
        for host in self._scenario.hosts:
            self._shell(host.name)
        return list(self._shells)

    def _run_watched(self, host: str) -> Callable[[str], tuple[int, bytes, bytes]]:
        def run(command: str) -> tuple[int, bytes, bytes]:
            with self._watched(host):
                return self._shells[host].run(command)

        return run

    def _close_shells(self) -> None:
        while self._shells:
            self._shells.popitem()[1].close()

    # --- the candidate -----------------------------------------------------------------------------------------

    def apply(self, candidate: str) -> Application:
        """Run the candidate as a playbook, from the control machine."""
        self._applied = True
        return self._play(candidate.encode(), self._scenario.limits.candidate)

    def end_candidate(self) -> None:
        """Kill the control machine; a candidate may have stopped it itself."""
        with engine_errors("stopping the control machine"), suppress(NotFound):
            try:
                connect_engine().api.kill(self._container(CONTROL))
            except APIError as error:
                if error.status_code != CONFLICT:  # it does not run any more
                    raise

    def _play(self, playbook: bytes, timeout: float) -> Application:
        mark = random_name()
        put_files(self._container(CONTROL), [Member(path=PLAYBOOK, content=playbook, uid=OPS)])
        ran = run_in(
            self._container(CONTROL),
            playbook_command(PLAYBOOK),
            timeout=timeout,
            user=f"{OPS}:{OPS}",
            workdir="/home/ops/work",
            environment=playbook_environment(mark),
        )
        told = read_events(ran.stderr.decode(errors="replace"), mark)
        output = ran.stdout.decode(errors="replace") + told.rest
        return Application(
            status=ran.status, output=output, events=told.events, seconds=ran.seconds, complete=told.complete
        )

    # --- the end -----------------------------------------------------------------------------------------------

    def read_logs(self) -> dict[str, str]:
        """The last lines of each container's log."""
        return {name: self._read_log(name) for name in sorted(self._started)}

    def _read_log(self, name: str) -> str:
        try:
            content: bytes = connect_engine().api.logs(self._container(name), tail=LOG_LINES)
        except (DockerException, OSError) as error:
            return f"(no log: {error})"
        return content.decode(errors="replace")

    def stop(self) -> None:
        """Hand the containers and the network to the background remover."""
        self._close_shells()
        started, self._started = [self._container(name) for name in self._started], []
        try:
            self._remover.submit(remove_attempt, started, self.name)
        except RuntimeError:  # the remover has been closed, as after Ctrl-C
            remove_attempt(started, self.name)


def remove_attempt(containers: list[str], network: str) -> None:
    """Remove what an attempt made; what fails is left to the sweep at the end of the run."""
    api = connect_engine().api
    for remove, name in [*((_remove_container, c) for c in containers), (api.remove_network, network)]:
        try:
            remove(name)
        except (DockerException, OSError) as error:
            LOG.debug("removing %s: %s", name, error)


def _remove_container(name: str) -> None:
    connect_engine().api.remove_container(name, force=True, v=True)


def render_inventory(hosts: tuple[Host, ...]) -> bytes:
    """The inventory in YAML: every host, and the groups that the scenario declares."""
    groups: dict[str, dict[str, Any]] = {}
    for host in hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    names: dict[str, dict[str, str]] = {host.name: {} for host in hosts}
    return yaml.safe_dump({"all": {"hosts": names, "children": groups}}).encode()


def _make_key() -> tuple[bytes, bytes]:
    """A fresh key pair in OpenSSH's formats: private, public."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public + b" attempt\n"


def _run_together(jobs: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()
