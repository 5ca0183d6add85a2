"""Engines of other machines through ssh: each as a socket of this machine, for all processes of the run."""

from __future__ import annotations

import selectors
import shutil
import subprocess
import tempfile
from urllib.parse import urlsplit

from pytest_itbench.environments.docker.engine import make_trouble
from pytest_itbench.environments.docker.trouble import Cause

REMOTE = "/var/run/docker.sock"
READY = "itbench-ready"
PATIENCE = 30.0
"""Seconds until a connection must stand."""


class Tunnels:
    """The tunnels that this process opened. They end with it, however it ends: what holds them open is a pipe."""

    def __init__(self) -> None:
        self._open: list[tuple[subprocess.Popen[str], str]] = []

    def reach(self, name: str) -> str:
        """The address at which an engine is reached: a tunnel's for ``ssh://``, any other is its own.

        Raises:
            EngineTrouble: the connection does not come about.
        """
        if not name.startswith("ssh://"):
            return name
        directory = tempfile.mkdtemp(prefix="itbench-")
        socket = f"{directory}/engine.sock"
        command = [*describe_command(name, socket), f"echo {READY}; exec cat >/dev/null"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._open.append((process, directory))
        _await_ready(process, name)
        return f"unix://{socket}"

    def close(self) -> None:
        """End them."""
        while self._open:
            process, directory = self._open.pop()
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
            shutil.rmtree(directory, ignore_errors=True)


def describe_command(name: str, socket: str) -> list[str]:
    """The ssh command up to what runs at the other end; the user's own configuration of ssh holds."""
    parts = urlsplit(name)
    user = ["-l", parts.username] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    remote = parts.path if parts.path not in ("", "/") else REMOTE
    options = ["-oBatchMode=yes", "-oExitOnForwardFailure=yes", "-oServerAliveInterval=15"]
    return ["ssh", "-T", *options, "-L", f"{socket}:{remote}", *user, *port, "--", parts.hostname or ""]


def _await_ready(process: subprocess.Popen[str], name: str) -> None:
    assert process.stdout
    assert process.stderr
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        ready = selector.select(PATIENCE) and READY in process.stdout.readline()
    if not ready:
        process.kill()
        said = process.stderr.read().strip().replace("\n", "; ") or f"no answer within {PATIENCE:g} s"
        raise make_trouble(f"connecting to {name}: ssh: {said}", Cause.DOWN)
