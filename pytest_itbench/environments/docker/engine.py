"""A container engine: the connection to it, and commands and files in its containers."""

from __future__ import annotations

import os
import secrets
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import docker
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env
from requests.utils import get_environ_proxies

from pytest_itbench.environments.docker.stream import Ran, Stream, collect_output
from pytest_itbench.environments.docker.trouble import REMEDIES, Cause, find_cause
from pytest_itbench.errors import EngineTrouble
from pytest_itbench.once import once_property
from pytest_itbench.owner import describe_owner
from pytest_itbench.variables import read_steadily, read_variables

LABEL = "pytest-itbench"
PATIENCE = 120
"""Seconds that the engine has for an answer."""
USUAL = "unix:///var/run/docker.sock"
END_BLOCKS = 2 * tarfile.BLOCKSIZE
"""How an archive ends. More of them, as tarfile writes, are more than Podman reads, which it then may call an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file on its way into a container."""

    path: str
    content: bytes
    mode: int = 0o644
    uid: int = 0


class Engine:
    """One engine that speaks Docker's API; connects when it is first used.

    Methods raise EngineTrouble, with its cause, when the engine fails.
    """

    def __init__(self, name: str = "", address: str = "") -> None:
        """Name it.

        Args:
            name: what the user calls it; unless given, what the usual variables say (DOCKER_HOST …).
            address: where it is reached, if that is another place, as with a tunnel.
        """
        self.name = name or os.environ.get("DOCKER_HOST", "") or USUAL
        self.address = address or self.name

    @once_property
    def client(self) -> docker.DockerClient:
        """The connection."""
        with self.errors("connecting to the container engine"):
            given = kwargs_from_env(environment={**read_variables(), "DOCKER_HOST": self.address})
            client = docker.DockerClient(**given, timeout=PATIENCE, max_pool_size=32)
            # Read once: for each call anew it would fail where another thread removes a variable meanwhile.
            client.api.proxies.update(read_steadily(lambda: get_environ_proxies(client.api.base_url)))
            client.api.trust_env = False
            client.ping()
            return client

    def close(self) -> None:
        """Drop the connection; it is made again when it is needed."""
        if "client" in vars(self):
            self.client.close()

    @property
    def api(self) -> docker.APIClient:
        """The same, one call at a time."""
        return self.client.api

    @once_property
    def about(self) -> Mapping[str, Any]:
        """What the engine says of itself."""
        with self.errors("asking the container engine about itself"):
            return self.client.info()

    @property
    def identity(self) -> str:
        """The same for all connections to one engine. Podman makes up another ID each time that it is asked."""
        return str(self.about["DockerRootDir"] if self.is_podman else self.about.get("ID", ""))

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return self.name.startswith("unix:")

    @property
    def is_podman(self) -> bool:
        """Whether it is Podman, which offers Docker's interface but not all of its options."""
        return "BuildahVersion" in self.about

    @contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Turn whatever the client library raises into EngineTrouble that says what was being done."""
        try:
            yield
        except APIError as error:
            text = str(error.explanation or error)
            raise make_trouble(f"{doing}: {text}", find_cause(text, error.status_code)) from error
        except (DockerException, OSError) as error:  # requests' own are OSErrors
            root = _find_root(error)
            message = f"{doing}: the container engine at {self.name} does not answer ({root})"
            raise make_trouble(message, find_cause(root)) from error

    def run(  # the arguments of an exec
        self,
        container: str,
        command: Sequence[str],
        *,
        timeout: float,
        user: str = "0:0",
        workdir: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run a command in a container and wait for it, at most `timeout` seconds.

        A command that is given up keeps running: the caller decides what becomes of its container.
        """
        started = time.monotonic()
        with self.errors(f"running {command[0]} in a container"):
            exec_id = self.api.exec_create(
                container, list(command), user=user, workdir=workdir, environment=dict(environment or {})
            )["Id"]
            stream = Stream(self.api.exec_start(exec_id, socket=True))
            try:
                stdout, stderr, ended = collect_output(stream, started + timeout)
            finally:
                stream.close()
            status = self._await_status(exec_id, started + timeout) if ended else None
        return Ran(status=status, stdout=stdout, stderr=stderr, seconds=time.monotonic() - started)

    def open_link(self, container: str, command: Sequence[str]) -> Attached:
        """Start a command of root in a container, with a standard input."""
        with self.errors("opening the validators' connection"):
            exec_id = self.api.exec_create(container, list(command), stdin=True, user="0:0")["Id"]
            return Attached(self, exec_id, self.api.exec_start(exec_id, socket=True))

    def run_aside(self, image: str, command: Sequence[str], **options: Any) -> str:
        """Run a command in a container of its own and wait for it; gives its output. Call it within `errors`."""
        labels = {LABEL: "aside", f"{LABEL}.owner": describe_owner()}
        container = self.client.containers.create(image, list(command), labels=labels, **options)
        try:
            container.start()
            container.wait()
            output: bytes = container.logs(stdout=True, stderr=False)
        finally:
            # Podman may refuse while it still cleans up after the command; what stays is left to the sweep.
            with suppress(DockerException, OSError):
                container.remove(force=True)
        return output.decode(errors="replace")

    def _await_status(self, exec_id: str, deadline: float) -> int | None:
        """The exit status; the engine may know it only a moment after the output has ended. None at the deadline."""
        while True:
            state = self.api.exec_inspect(exec_id)
            if not state["Running"]:
                if state["ExitCode"] is None:
                    raise make_trouble("the engine does not know how a command ended", Cause.OTHER)
                return int(state["ExitCode"])
            if time.monotonic() > deadline:
                return None
            time.sleep(0.02)

    def put_files(self, container: str, members: Sequence[Member]) -> None:
        """Write files into a container, running or not, with their directories."""
        now = int(datetime.now(UTC).timestamp())
        archive = b"".join(_pack(member, now) for member in members) + bytes(END_BLOCKS)
        with self.errors(f"copying {members[0].path} into a container"):
            self.api.put_archive(container, "/", archive)


class Attached(Stream):
    """A command in a container, attached to us: a `stream.Link`."""

    def __init__(self, engine: Engine, exec_id: str, attached: Any) -> None:
        super().__init__(attached)
        self._engine, self._id = engine, exec_id

    def find_status(self) -> int | None:
        """How it ended, as the engine says."""
        with self._engine.errors("looking at the validators' shell"):
            status: int | None = self._engine.api.exec_inspect(self._id)["ExitCode"]
            return status


def _pack(member: Member, mtime: int) -> bytes:
    """A file as a part of an archive."""
    info = tarfile.TarInfo(member.path.lstrip("/"))
    info.size, info.mode, info.uid, info.gid = len(member.content), member.mode, member.uid, member.uid
    info.mtime = mtime
    return info.tobuf() + member.content + bytes(-info.size % tarfile.BLOCKSIZE)


def make_trouble(message: str, cause: Cause) -> EngineTrouble:
    """Trouble with its remedy."""
    remedy = REMEDIES[cause]
    return EngineTrouble(message, hint=remedy.hint, cause=cause, retries=remedy.retries, pause=remedy.pause)


def _find_root(error: BaseException) -> str:
    """The first cause in the libraries' chain of wrappers, which alone says something."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__


def random_name() -> str:
    """A name that nobody can guess."""
    return secrets.token_hex(16)
