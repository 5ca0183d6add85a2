"""Runs a command for as long as somebody holds this process's standard input open.

Whoever started it holds that end; when it dies, however it dies, the command and all its children are ended. Run as
``python -m pytest_itbench.models.watchdog COMMAND …``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE = 5.0
"""Seconds between asking and killing."""


def main(command: list[str]) -> int:
    """Run the command; gives its exit status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop_group(process))
    threading.Thread(target=_await_end_of_input, args=(process,), daemon=True).start()
    status = process.wait()
    stop_group(process)  # what it leaves behind when it dies
    return status


def _await_end_of_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop_group(process)


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End a command and its children: ask first, kill after a while."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
