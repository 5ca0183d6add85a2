"""Any command as a model: the prompt on its standard input, the reply on its standard output."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from subprocess import PIPE
from typing import IO

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.errors import OptionMistake, ProviderTrouble
from pytest_itbench.redaction import learn_secrets, redact
from pytest_itbench.variables import read_variables

REPLY_LIMIT = 4 * 1024**2


class Script:
    """Runs the command once per attempt, on this machine, with the user's own rights.

    It is told the attempt by ITBENCH_SCENARIO, ITBENCH_ATTEMPT and ITBENCH_LEVEL.
    """

    costly = True

    def __init__(self, choice: ModelChoice) -> None:
        try:
            self._command = shlex.split(choice.name)
        except ValueError as error:
            raise OptionMistake(f"script:{choice.name}: {error}") from error
        if not self._command:
            raise OptionMistake("script: needs a command, as in script:./ask-my-agent")
        self._choice = choice

    def ask(self, request: Request) -> Reply:
        """What the command printed."""
        environment = {
            **read_variables(),
            "ITBENCH_SCENARIO": request.scenario.id,
            "ITBENCH_ATTEMPT": str(request.index),
            "ITBENCH_LEVEL": str(self._choice.level),
        }
        status, output, errors = self._run(str(request.prompt).encode(), environment)
        if status != 0:
            raise ProviderTrouble(f"{self._command[0]} ended with status {status}: {errors.strip()[-1000:]}")
        learn_secrets()
        return Reply(text=redact(output))

    def _run(self, prompt: bytes, environment: dict[str, str]) -> tuple[int, str, str]:
        with ThreadPoolExecutor(4) as pool:
            # Ctrl-C is raised in the main thread alone: started in another one, the command is always known to us.
            started = pool.submit(self._start, environment)
            with _ended_with_us(started):
                return self._hear(started.result(), prompt, pool)

    def _start(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True
            )
        except OSError as error:
            raise ProviderTrouble(f"{self._command[0]} cannot be started: {error}") from error

    def _hear(self, process: subprocess.Popen[bytes], prompt: bytes, pool: ThreadPoolExecutor) -> tuple[int, str, str]:
        pool.submit(_feed, process, prompt)
        streams = [pool.submit(_read, process, stream) for stream in (process.stdout, process.stderr)]
        try:
            process.wait(self._choice.timeout)
        except subprocess.TimeoutExpired as error:
            raise ProviderTrouble(f"{self._command[0]} gave no reply within {self._choice.timeout:g} s") from error
        output, errors = (stream.result().decode(errors="replace") for stream in streams)
        return process.returncode, output, errors


@contextmanager
def _ended_with_us(started: Future[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Whatever ends the waiting early, as Ctrl-C does at any moment, ends the command with its children too."""
    try:
        yield
    except BaseException:
        if started.exception() is None:
            _kill(started.result())
        raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _feed(process: subprocess.Popen[bytes], prompt: bytes) -> None:
    with suppress(BrokenPipeError), process.stdin or nullcontext():  # a command need not read what it is told
        if process.stdin:
            process.stdin.write(prompt)


def _read(process: subprocess.Popen[bytes], stream: IO[bytes] | None) -> bytes:
    """What a stream says, up to the limit; a command that says more is ended."""
    if stream is None:
        return b""
    with stream:
        said = stream.read(REPLY_LIMIT)
        if stream.read(1):
            _kill(process)
    return said
