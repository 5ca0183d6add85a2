"""The validators' connection to a host: one shell of our own that answers many commands.

The shell and the common tools come from a read-only volume, so that a candidate cannot have replaced them. It is
started for a round of checks and ended after it; a command costs a millisecond or two instead of an exec of its own.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult

from pytest_itbench.environments.docker.blame import Sign
from pytest_itbench.environments.docker.engine import random_name
from pytest_itbench.environments.docker.stream import OUTPUT_LIMIT, Link
from pytest_itbench.errors import EngineTrouble

MOUNT = "/.itbench"
PATH = f"{MOUNT}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Each line of input is a command in base64; the mark that ends its output is known to this shell alone. What a command
# leaves running keeps its output: that is a pipe for each command, whose other end is gone before the next one begins.
LOOP = """
cd /; export PATH=@PATH@
exec 7<> <(:)
IFS= read -r mark
while IFS= read -r line && [ "$line" != . ]; do
  command=$(printf %s "$line" | base64 -d; printf x)
  exec 5> >(exec cat 7>&-); out=$!
  exec 6> >(exec cat >&2 5>&- 7>&-); err=$!
  timeout -k 1 @SECONDS@ @MOUNT@/sh -c "${command%x}" </dev/null >&5 2>&6 5>&- 6>&- 7>&-
  status=$?
  exec 5>&- 6>&-
  left=500
  while { kill -0 $out || kill -0 $err; } 2>/dev/null && [ $((left -= 1)) -gt 0 ]; do read -rt 0.002 -u 7 _; done
  kill -9 $out $err 2>/dev/null
  printf '%s%s\\n' "$mark" "$status"
  printf '%s\\n' "$mark" >&2
done
"""

PATIENCE = 10.0
"""Seconds beyond a command's limit after which the shell is given up."""
TIMED_OUT = (124, 137, 143)


class CheckTimeout(AssertionError):
    """A validator's command did not end in time: what it looks at does not answer."""


class ShellLost(EngineTrouble):
    """The shell ended although nobody ended it, or does not answer; `sign` says which."""

    def __init__(self, message: str, sign: Sign) -> None:
        super().__init__(message, retries=1)
        self.sign = sign


OpenLink = Callable[[Sequence[str]], Link]


class ProbeShell:
    """A shell in a running machine. Times in seconds."""

    def __init__(self, open_link: OpenLink, check_timeout: float) -> None:
        """Start the shell.

        Args:
            open_link: starts a command of root in the machine.
            check_timeout: how long one command may take.

        Raises:
            EngineTrouble: the machine is not running, or the engine fails.
        """
        self._timeout = check_timeout
        self._mark = random_name().encode()
        script = LOOP.replace("@SECONDS@", f"{check_timeout:g}").replace("@MOUNT@", MOUNT).replace("@PATH@", PATH)
        self._link = open_link([f"{MOUNT}/sh", "-c", script])
        try:
            self._link.write(self._mark + b"\n")
        except OSError as error:
            raise ShellLost(f"the validators' shell was cut off: {error}", self._find_sign()) from error

    def run(self, command: str) -> tuple[int, bytes, bytes]:
        """Run a command; gives its exit status, stdout and stderr.

        Raises:
            CheckTimeout: it took longer than the scenario's limit for a check.
            ShellLost: the shell ended, or does not answer.
            EngineTrouble: the connection broke.
        """
        kept = {1: bytearray(), 2: bytearray()}
        started = time.monotonic()
        try:
            self._link.write(base64.b64encode(command.encode()) + b"\n")
            self._read_until_marked(kept, started + self._timeout + PATIENCE)
        except TimeoutError:
            # The shell ends commands at their limit by itself. One that stays silent may answer later, in place of
            # the next command's answer, so that it must not be asked again.
            raise ShellLost(f"the validators' shell does not answer any more: {command}", Sign.SILENT) from None
        except OSError as error:
            raise ShellLost(f"the validators' shell was cut off: {error}", self._find_sign()) from error
        stdout, _, told = bytes(kept[1]).rpartition(self._mark)
        if not (status := re.match(rb"\d+", told)):
            raise ShellLost("something else writes where the validators' shell does", Sign.SILENT)
        stderr = bytes(kept[2]).rpartition(self._mark)[0]
        if int(status[0]) in TIMED_OUT and time.monotonic() - started >= self._timeout:
            raise CheckTimeout(f"no answer within {self._timeout:g} s: {command}")
        return int(status[0]), stdout, stderr

    def _read_until_marked(self, kept: dict[int, bytearray], deadline: float) -> None:
        ended: set[int] = set()
        while len(ended) < len(kept):
            frame = self._link.read_frame(deadline)
            if frame is None:
                raise ShellLost("the validators' shell ended by itself", self._find_sign())
            number, content = frame
            kept[number] += content
            if len(kept[number]) > 2 * OUTPUT_LIMIT:
                del kept[number][OUTPUT_LIMIT:-1024]  # the mark may stand at its end
            if self._mark in kept[number][-200:] and kept[number].endswith(b"\n"):
                ended.add(number)

    def _find_sign(self) -> Sign:
        """Whether the shell was ended from inside: the end of its input alone lets it end well."""
        return Sign.KILLED if self._link.find_status() else Sign.CUT

    def close(self) -> None:
        """End the shell; a line that is no base64 ends it where its input does not end with the connection."""
        with suppress(OSError):  # it is gone already, which is what was wanted
            self._link.write(b".\n")
        self._link.close()


class ProbeBackend(BaseBackend):  # type: ignore[misc]  # testinfra ships no types
    """pytest-testinfra's view of a host's shell, given by its `run`."""

    NAME = "itbench"

    def __init__(self, hostname: str, run: Callable[[str], tuple[int, bytes, bytes]]) -> None:
        super().__init__(hostname)
        self._run = run
        self._encoding = "UTF-8"

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a command, in testinfra's terms."""
        text = self.get_command(command, *args)
        status, stdout, stderr = self._run(text)
        return CommandResult(self, status, text.encode(), stdout, stderr)

    def __repr__(self) -> str:
        """Short, because it stands in every message of an assertion on a command."""
        return str(self.hostname)

    def decode(self, data: bytes) -> str:
        """Text of whatever a host sends; bytes that are not UTF-8 are replaced."""
        return data.decode(errors="replace")
