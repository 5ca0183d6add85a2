"""Commands in pods, over the API's websockets: output by stream, exit status, a standard input that has no end.

The protocol cannot close the standard input alone, so that whatever reads it must know where it ends.
"""

from __future__ import annotations

import base64
import json
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from websocket import (
    ABNF,
    WebSocket,
    WebSocketBadStatusException,
    WebSocketConnectionClosedException,
    WebSocketException,
    WebSocketTimeoutException,
)

from pytest_itbench.environments.docker.engine import make_trouble
from pytest_itbench.environments.docker.stream import Ran, collect_output
from pytest_itbench.environments.docker.trouble import find_cause
from pytest_itbench.environments.kubernetes.api import Api, Object

STDIN, STDOUT, STDERR, STATUS = range(4)
"""Channels of the protocol ``v4.channel.k8s.io``."""
PROTOCOL = "v4.channel.k8s.io"
CHUNK = 32768
ALIVE = 15.0
"""Seconds that a connection has to be closed in good order."""


class PodLink:
    """A command in a pod, attached to us: a `docker.stream.Link`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._status: int | None = None
        self._ended = False

    def write(self, content: bytes) -> None:
        """Send to the command's standard input."""
        try:
            for start in range(0, len(content), CHUNK):
                piece = bytes([STDIN]) + content[start : start + CHUNK]
                self._socket.send(piece, opcode=ABNF.OPCODE_BINARY)
        except WebSocketException as error:
            raise OSError(str(error)) from error

    def read_frame(self, deadline: float) -> tuple[int, bytes] | None:
        """The next piece of output as (1 stdout or 2 stderr, bytes); None at its end.

        Raises:
            TimeoutError: nothing came before the deadline (of time.monotonic).
        """
        while not self._ended:
            channel, content = self._receive(deadline)
            if channel == STATUS:
                self._status, self._ended = read_status(content), True
            elif channel in (STDOUT, STDERR) and content:
                return channel, content
        return None

    def _receive(self, deadline: float) -> tuple[int, bytes]:
        """One message; at the end of the connection nothing more comes."""
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._socket.settimeout(remaining)
        try:
            operation, frame = self._socket.recv_data_frame()
        except WebSocketTimeoutException:
            raise TimeoutError from None
        except WebSocketConnectionClosedException:
            self._ended = True
            return -1, b""
        except WebSocketException as error:
            raise OSError(str(error)) from error
        if operation == ABNF.OPCODE_CLOSE or not frame.data:
            self._ended = operation == ABNF.OPCODE_CLOSE
            return -1, b""
        return frame.data[0], bytes(frame.data[1:])

    def find_status(self) -> int | None:
        """How the command ended; None when it did not, or the connection did so first."""
        return self._status

    def close(self) -> None:
        """Drop the connection."""
        with suppress(OSError, WebSocketException):  # it is gone already, which is what was wanted
            self._socket.settimeout(ALIVE)
            self._socket.close(timeout=0)
        # After the other side has said goodbye, the library leaves the connection open.
        self._socket.shutdown()  # type: ignore[no-untyped-call]  # has types for some of its methods alone


def read_status(content: bytes) -> int | None:
    """The exit status that the cluster tells at a command's end; None when it could not run it."""
    try:
        told = json.loads(content)
    except ValueError:
        return None
    if told.get("status") == "Success":
        return 0
    causes = (told.get("details") or {}).get("causes") or ()
    return next((int(each["message"]) for each in causes if each.get("reason") == "ExitCode"), None)


def open_link(api: Api, namespace: str, pod: str, container: str, command: Sequence[str]) -> PodLink:
    """Start a command in a pod's container, with a standard input.

    Raises:
        EngineTrouble: the cluster does not do it.
    """
    query = [("container", container), *((name, "true") for name in ("stdin", "stdout", "stderr"))]
    query += [("command", word) for word in command]
    try:
        return PodLink(api.open_socket(f"/api/v1/namespaces/{namespace}/pods/{pod}/exec", query, PROTOCOL))
    except WebSocketBadStatusException as error:
        told = _read_refusal(error)
        raise make_trouble(f"starting a command in pod {pod}: {told}", find_cause(told, error.status_code)) from error
    except (OSError, WebSocketException) as error:
        raise make_trouble(
            f"starting a command in pod {pod}: the cluster at {api.address} does not answer ({error})",
            find_cause(str(error)),
        ) from error


def _read_refusal(error: WebSocketBadStatusException) -> str:
    body: Any = getattr(error, "resp_body", None) or b""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:500] or str(error)[:500]


def run_in_pod(
    api: Api,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    *,
    timeout: float,
    content: bytes = b"",
) -> Ran:
    """Run a command and wait for it, at most `timeout` seconds; one that is given up keeps running.

    Args:
        api: the cluster.
        namespace: where the pod is.
        pod: where the command runs.
        container: in which part of the pod.
        command: what is run, as the container's user.
        timeout: seconds.
        content: what it may read; it sees no end of it.

    Raises:
        EngineTrouble: the cluster does not do it, or the connection breaks.
    """
    started = time.monotonic()
    link = open_link(api, namespace, pod, container, command)
    try:
        link.write(content)
        stdout, stderr, ended = collect_output(link, started + timeout)
    except OSError as error:
        raise make_trouble(f"running a command in pod {pod}: {error}", find_cause(str(error))) from error
    finally:
        link.close()
    status = link.find_status()
    if ended and status is None:
        message = f"running a command in pod {pod}: the connection ended before the command did"
        raise make_trouble(message, find_cause("closed network connection"))
    return Ran(status=status if ended else None, stdout=stdout, stderr=stderr, seconds=time.monotonic() - started)


TIMED_OUT = 124
"""The status of a command that was given up, as timeout(1) tells it."""


def run_told(api: Api, namespace: str, pod: Object, command: Sequence[str], timeout: float) -> tuple[int, str]:
    """Run a command in a pod's first container; gives its status, and what it said on both streams.

    Raises:
        EngineTrouble: the cluster does not do it, or the connection breaks.
    """
    container = pod["spec"]["containers"][0]["name"]
    ran = run_in_pod(api, namespace, pod["metadata"]["name"], container, command, timeout=timeout)
    said = (ran.stdout + ran.stderr).decode(errors="replace")
    if ran.status is None:
        return TIMED_OUT, f"{said}\nit did not end within {timeout:g} s"
    return ran.status, said


def describe_writing(path: str, content: bytes, mode: int) -> tuple[str, bytes]:
    """A shell script that writes a file from its standard input, and what it is to read there."""
    encoded, target = base64.b64encode(content), shlex.quote(path)
    script = (
        f"rm -rf {target} && umask 077 && head -c {len(encoded)} | base64 -d >{target} && chmod {mode:04o} {target}"
    )
    return script, encoded
