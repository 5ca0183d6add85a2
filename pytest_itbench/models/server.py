"""Servers of models that a run starts for itself: one per model, on this machine, for all workers."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from pytest_itbench.errors import ServerFailed
from pytest_itbench.variables import read_variables

POLL = 0.2
NEWS = 10.0
"""Seconds between lines of progress."""
TAIL = 15
"""Lines of the log that an error shows."""
WORDS = 100
"""Characters of the log that a line of progress shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a server is started.

    Attributes:
        about: what it is, for people.
        command: gives the command, from a port.
        health: the path at which it says that it is well.
        patience: seconds until it must be.
        environment: variables besides those of this process.
    """

    about: str
    command: Callable[[int], list[str]]
    health: str = "/health"
    patience: float = 300.0
    environment: Mapping[str, str] = field(default_factory=dict)


class ModelServer:
    """A running server; it ends with the process that started it, however that ends."""

    def __init__(self, launch: Launch, log: Path) -> None:
        """Start the process; `wait` says when it answers."""
        self._launch, self._log = launch, log
        port = _find_port()
        self.url = f"http://127.0.0.1:{port}"
        log.parent.mkdir(parents=True, exist_ok=True)
        self._output: IO[bytes] = log.open("wb")
        watchdog = [sys.executable, "-m", "pytest_itbench.models.watchdog"]
        self._process = subprocess.Popen(
            [*watchdog, *launch.command(port)],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**read_variables(), **launch.environment},
            start_new_session=True,
        )

    def wait(self, tell: Callable[[str], None]) -> None:
        """Wait until the server answers; `tell` gets a line of progress now and then.

        Raises:
            ServerFailed: it ended, or did not answer in time.
        """
        started = told = time.monotonic()
        while not self._is_well():
            now = time.monotonic()
            if ended := self.describe_end():
                raise ServerFailed(ended)
            if now - started > self._launch.patience:
                raise ServerFailed(f"{self._launch.about} gave no answer in {now - started:.0f} s{self._read_tail()}")
            if now - told >= NEWS:
                tell(f"itbench: waiting for {self._launch.about}, {now - started:.0f} s: {self._read_last()}")
                told = now
            time.sleep(POLL)
        tell(f"itbench: {self._launch.about} is ready after {time.monotonic() - started:.1f} s at {self.url}")

    def describe_end(self) -> str:
        """How the server ended, with the end of its log; empty while it runs."""
        status = self._process.poll()
        return "" if status is None else f"{self._launch.about} ended with status {status}{self._read_tail()}"

    def stop(self) -> None:
        """End the server; returns when it is gone."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()
        self._output.close()

    def _is_well(self) -> bool:
        try:
            return httpx.get(f"{self.url}{self._launch.health}", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _read_last(self) -> str:
        """What the server said last, in a few words."""
        lines = self._read_log()
        return lines[-1].strip()[-WORDS:] if lines else "nothing said so far"

    def _read_log(self) -> list[str]:
        return [line for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]

    def _read_tail(self) -> str:
        lines = self._read_log()[-TAIL:]
        return f"; the end of its log ({self._log}):\n" + "\n".join(f"    {line}" for line in lines)


def _find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
