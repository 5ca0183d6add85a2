"""What this machine has and lacks, for ``pytest-itbench doctor``."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

OLDEST_PYTHON = (3, 11)
PARTS = ("pytest", "pytest-xdist", "pytest-testinfra", "docker")
EXTRAS = {
    "anthropic": "anthropic",
    "bedrock": "boto3",
    "cohere": "cohere",
    "google": "google.genai",
    "groq": "groq",
    "html": "pytest_html",
    "k3s": "testcontainers",
    "kubernetes": "kubernetes",
    "local": "xllamacpp",
    "mistral": "mistralai",
    "openai": "openai",
    "rego": "regopy",
    "vllm": "openai",
}
"""Each extra and a module that is there once it is installed."""


def diagnose() -> Iterator[tuple[bool, str]]:
    """One finding at a time: whether it is well, and what was seen or what to do."""
    seen = platform.python_version()
    fine = sys.version_info >= OLDEST_PYTHON
    yield fine, f"Python: {seen}" if fine else f"Python: {seen}; 3.11 or newer is needed"
    for name in ("pytest-itbench", *PARTS):
        yield _find_package(name)
    for extra, module in EXTRAS.items():
        there = _is_there(module)
        note = "installed" if there else f"not installed; pip install 'pytest-itbench[{extra}]'"
        yield True, f"extra {extra}: {note}"


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


def _find_package(name: str) -> tuple[bool, str]:
    try:
        return True, f"{name}: {version(name)}"
    except PackageNotFoundError:
        return False, f"{name}: not installed; pip install {name}"
