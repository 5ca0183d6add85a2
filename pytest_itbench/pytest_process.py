"""A pytest run that a command starts."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence


def run_pytest(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run pytest in a process of its own, for it wants to be the first to import a plugin; gives its exit status.

    That is 128 and the signal's number where a signal ended it, as shells say it. What ends this process ends pytest:
    SIGTERM is handed on. Ctrl-C is not: a terminal tells both of it; this process waits until pytest has tidied up.
    """
    with subprocess.Popen([sys.executable, "-m", "pytest", *arguments], env=environment) as process:
        handlers = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: process.terminate()),
            signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        }
        try:
            status = process.wait()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return status if status >= 0 else 128 - status
