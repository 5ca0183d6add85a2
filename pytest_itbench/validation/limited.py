"""Jobs of ours with what a model wrote, each in a process of its own: a text may cost any time and all the memory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from pytest_itbench.errors import ValidatorBroken
from pytest_itbench.validation.limited_process import CPU, OUTPUT, TOO_LARGE, TOO_LONG

PROCESS = Path(__file__).with_name("limited_process.py")
SHOWN = 300
"""How many characters of a complaint are told."""


def run_limited(job: str, library: str, asked: Any, *, about: str, patience: float) -> Any:
    """What a job makes of what it is asked.

    Args:
        job: the name of its file, which lies beside this one.
        library: the directory of the package that it imports.
        asked: what its `work` is called with; goes there as JSON.
        about: what the model wrote, as messages call it.
        patience: seconds on the clock.

    Raises:
        AssertionError: it wants more than the limits.
        TimeoutError: it did not end in time, which may also be the machine's doing.
        ValidatorBroken: the process cannot be started, or fails.
    """
    command = [sys.executable, "-I", str(PROCESS), str(PROCESS.with_name(job)), library]
    try:
        status, result, chatter = _run(command, json.dumps(asked).encode(), patience)
        if status == 0:
            return json.loads(result)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{about}: no result within {patience:g} seconds") from None
    except (OSError, ValueError) as error:
        raise ValidatorBroken(f"the process for {about} cannot be run: {error}") from error
    raise _explain_end(about, status, chatter)


def _run(command: Sequence[str], asked: bytes, patience: float) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as chatter:
        ended = subprocess.run(command, input=asked, stdout=said, stderr=chatter, timeout=patience, env={}, check=False)
        return ended.returncode, _read_all(said), _read_all(chatter)


def _read_all(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _explain_end(about: str, status: int, chatter: str) -> Exception:
    last = chatter.strip().splitlines()[-1] if chatter.strip() else "it said nothing"
    if -status in (signal.SIGXCPU, signal.SIGKILL):
        return AssertionError(f"{about} used more than {CPU} seconds of a processor without coming to a result")
    if status == TOO_LARGE or "MemoryError" in chatter or "bad_alloc" in chatter:
        return AssertionError(f"{about} wants more than 1 GiB of memory")
    if status == TOO_LONG:
        return AssertionError(f"{about} holds more than can be told in {OUTPUT} bytes")
    if status < 0:
        name = signal.Signals(-status).name
        return AssertionError(f"{about} made the interpreter crash ({name}): an endless or very deep recursion?")
    return ValidatorBroken(f"the process for {about} ended with status {status}: {last[:SHOWN]}")
