"""The connection of a command that runs in a container, and what came of it."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

OUTPUT_LIMIT = 2 * 1024**2
"""Bytes of output that are kept of one command; what a hostile candidate prints beyond them is dropped."""


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


class Link(Protocol):
    """The two-way connection of a command that runs somewhere else. Methods raise OSError when it breaks."""

    def write(self, content: bytes) -> None:
        """Send to the command's standard input."""

    def read_frame(self, deadline: float) -> tuple[int, bytes] | None:
        """The next piece of output as (1 stdout or 2 stderr, bytes); None at its end.

        Raises:
            TimeoutError: nothing came before the deadline (of time.monotonic).
        """

    def find_status(self) -> int | None:
        """How the command ended; None when it did not, or nobody knows."""

    def close(self) -> None:
        """Drop the connection."""


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


class FrameReader(Protocol):
    """The part of a link that gives output."""

    def read_frame(self, deadline: float) -> tuple[int, bytes] | None:
        """As in `Link`."""


def collect_output(stream: FrameReader, deadline: float) -> tuple[bytes, bytes, bool]:
    """Both outputs up to the end or the deadline (of time.monotonic), and whether it was the end."""
    kept = {1: bytearray(), 2: bytearray()}
    try:
        while frame := stream.read_frame(deadline):
            number, content = frame
            room = OUTPUT_LIMIT - len(kept[number])
            kept[number] += content[: max(room, 0)]
    except TimeoutError:
        return bytes(kept[1]), bytes(kept[2]), False
    return bytes(kept[1]), bytes(kept[2]), True
