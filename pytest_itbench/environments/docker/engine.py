"""The connection to the container engine, and commands in containers with bounds on time and output."""

from __future__ import annotations

import io
import os
import socket
import struct
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException

from pytest_itbench.errors import EngineTrouble

OUTPUT_LIMIT = 2 * 1024**2
"""Bytes of output that are kept of one command; what a hostile candidate prints beyond them is dropped."""

LABEL = "pytest-itbench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that ended, or that was given up at its deadline (status None). Output is cut at OUTPUT_LIMIT."""

    status: int | None
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def text(self) -> str:
        """Both streams, for people."""
        return (self.stdout + self.stderr).decode(errors="replace")


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn whatever the client library raises into EngineTrouble that says what was being done."""
    try:
        yield
    except APIError as error:
        raise EngineTrouble(f"{doing}: {error.explanation or error}") from error
    except (DockerException, requests.RequestException, OSError) as error:
        address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        message = f"{doing}: the container engine at {address} does not answer ({_find_root(error)})"
        raise EngineTrouble(message, hint="start it, or set DOCKER_HOST; see: pytest-itbench doctor") from error


def _find_root(error: BaseException) -> str:
    """The first cause in the libraries' chain of wrappers, which alone says something."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error)


@cache
def connect_engine() -> docker.DockerClient:
    """The process's client, configured by the usual variables (DOCKER_HOST …).

    Raises:
        EngineTrouble: no engine answers.
    """
    with engine_errors("connecting to the container engine"):
        client = docker.from_env(timeout=120, max_pool_size=32)
        client.ping()
        return client


def run_in(  # the arguments of an exec
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

    Raises:
        EngineTrouble: the engine does not run it or drops the connection.
    """
    api, started = connect_engine().api, time.monotonic()
    with engine_errors(f"running {command[0]} in a container"):
        exec_id = api.exec_create(
            container, list(command), user=user, workdir=workdir, environment=dict(environment or {})
        )["Id"]
        stream = Stream(api.exec_start(exec_id, socket=True))
        try:
            stdout, stderr, ended = _collect(stream, started + timeout)
        finally:
            stream.close()
        status = _await_status(exec_id, started + timeout) if ended else None
    return Ran(status=status, stdout=stdout, stderr=stderr, seconds=time.monotonic() - started)


def _await_status(exec_id: str, deadline: float) -> int | None:
    """The exit status; the engine may know it only a moment after the output has ended. None at the deadline."""
    while True:
        state = connect_engine().api.exec_inspect(exec_id)
        if not state["Running"]:
            if state["ExitCode"] is None:
                raise EngineTrouble("the engine does not know how a command ended")
            return int(state["ExitCode"])
        if time.monotonic() > deadline:
            return None
        time.sleep(0.02)


def _collect(stream: Stream, deadline: float) -> tuple[bytes, bytes, bool]:
    kept = {1: bytearray(), 2: bytearray()}
    try:
        while frame := stream.read_frame(deadline):
            number, content = frame
            room = OUTPUT_LIMIT - len(kept[number])
            kept[number] += content[: max(room, 0)]
    except TimeoutError:
        return bytes(kept[1]), bytes(kept[2]), False
    return bytes(kept[1]), bytes(kept[2]), True


class Stream:
    """The two-way connection of an attached command, in the engine's framing of stdout and stderr."""

    def __init__(self, attached: Any) -> None:
        self._attached = attached  # keeps the HTTP response, which owns the connection, alive
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._buffer = bytearray()

    def write(self, content: bytes) -> None:
        """Send to the command's standard input."""
        self._socket.sendall(content)

    def read_frame(self, deadline: float) -> tuple[int, bytes] | None:
        """The next piece of output as (1 stdout or 2 stderr, bytes); None at its end.

        Raises:
            TimeoutError: nothing came before the deadline (of time.monotonic).
        """
        header = self._read(8, deadline)
        if header is None:
            return None
        number, size = struct.unpack(">BxxxL", header)
        content = self._read(size, deadline)
        return None if content is None else (number if number in (1, 2) else 1, content)

    def _read(self, size: int, deadline: float) -> bytes | None:
        while len(self._buffer) < size:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._socket.settimeout(remaining)
            received = self._socket.recv(65536)
            if not received:
                return None
            self._buffer += received
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def close(self) -> None:
        """Drop the connection; the command sees the end of its input."""
        for end in (self._socket, self._attached):
            with suppress(OSError):  # it is gone already, which is what was wanted
                end.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file on its way into a container."""

    path: str
    content: bytes
    mode: int = 0o644
    uid: int = 0


def put_files(container: str, members: Sequence[Member]) -> None:
    """Write files into a container, running or not, with their directories.

    Raises:
        EngineTrouble
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for member in members:
            info = tarfile.TarInfo(member.path.lstrip("/"))
            info.size, info.mode, info.uid, info.gid = len(member.content), member.mode, member.uid, member.uid
            info.mtime = int(datetime.now(UTC).timestamp())
            archive.addfile(info, io.BytesIO(member.content))
    with engine_errors(f"copying {members[0].path} into a container"):
        connect_engine().api.put_archive(container, "/", packed.getvalue())


def random_name() -> str:
    """A name that nobody can guess."""
    return os.urandom(16).hex()
