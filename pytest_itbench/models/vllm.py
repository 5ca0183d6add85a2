"""Any model that vLLM serves, by a server that the run starts and ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pytest_itbench.domain.candidate import ModelChoice
from pytest_itbench.errors import OptionMistake
from pytest_itbench.models.choice import is_local
from pytest_itbench.models.served import Served
from pytest_itbench.models.server import Launch

MODULE = "vllm.entrypoints.openai.api_server"
"""What ``vllm serve`` runs. As a module, it also runs where vLLM's distribution has another name."""
PATIENCE = 3600.0
"""Seconds: weights may have to be downloaded."""
QUIET = {"VLLM_NO_USAGE_STATS": "1"}
LOOK = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"


class Vllm(Served):
    """A model's name on its hub, or a directory, behind vLLM's own server.

    All workers share the server, so that requests are batched and attempts at one scenario share their prompt's cache.
    """

    def __init__(self, choice: ModelChoice) -> None:
        if not choice.name:
            raise OptionMistake("vllm: needs a model's name or directory, as in vllm:Qwen/Qwen3-8B")
        super().__init__(choice)

    @staticmethod
    def serve(choice: ModelChoice, cache_directory: Path) -> Launch:
        """How the server is started.

        Raises:
            OptionMistake: there is no vLLM, or no such directory.
        """
        del cache_directory  # vLLM has its own
        model = str(Path(choice.name).expanduser().absolute()) if is_local(choice.name) else choice.name
        if is_local(choice.name) and not Path(model, "config.json").is_file():
            raise OptionMistake(f"vllm:{choice.name}: there is no model in this directory (no config.json)")
        python = choice.options.get("vllm_python") or sys.executable
        _refuse_without_vllm(python)
        command = [python, "-m", MODULE, "--model", model, "--served-model-name", choice.name, "--host", "127.0.0.1"]
        return Launch(
            about=f"vLLM with {choice.name}",
            command=lambda port: [*command, "--port", str(port), *choice.options.get("vllm_arguments", ())],
            patience=PATIENCE,
            environment=QUIET,
        )


def _refuse_without_vllm(python: str) -> None:
    try:
        missing = subprocess.run([python, "-c", LOOK], check=False, timeout=60).returncode != 0
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OptionMistake(f"--itbench-vllm-python: {python} cannot be run: {error}") from error
    if missing:
        hint = "install it there, or name a Python that has it: --itbench-vllm-python=…/bin/python"
        raise OptionMistake(f"model 'vllm': {python} has no vLLM; {hint}")
