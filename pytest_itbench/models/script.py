"""Any command as a model: the prompt on its standard input, the reply on its standard output."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.errors import OptionMistake, ProviderTrouble
from pytest_itbench.redaction import redact

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
            **os.environ,
            "ITBENCH_SCENARIO": request.scenario.id,
            "ITBENCH_ATTEMPT": str(request.index),
            "ITBENCH_LEVEL": str(self._choice.level),
        }
        status, output, errors = self._run(str(request.prompt).encode(), environment)
        if status != 0:
            raise ProviderTrouble(f"{self._command[0]} ended with status {status}: {errors.strip()[-1000:]}")
        return Reply(text=redact(output))

    def _run(self, prompt: bytes, environment: dict[str, str]) -> tuple[int, str, str]:
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(  # the user's own command
                self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
            )
        except OSError as error:
            raise ProviderTrouble(f"{self._command[0]} cannot be started: {error}") from error
        try:
            output, errors = process.communicate(prompt, timeout=self._choice.timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise ProviderTrouble(f"{self._command[0]} gave no reply within {self._choice.timeout:g} s") from error
        return process.returncode, output[:REPLY_LIMIT].decode(errors="replace"), errors.decode(errors="replace")
