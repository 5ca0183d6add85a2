"""Examples taken out of the pages by the comment above them, and a pytest to run them in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.loading.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<kind>example|commands): (?P<name>[^>]*?) -->\n)?"
    r'^```(?P<language>\w+)(?: title="(?P<title>[^"]*)")?[^\n]*\n(?P<text>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)

Blocks = list[tuple[Path, re.Match[str]]]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def write_guide(directory: Path) -> Scenario:
    """The scenario of the page for authors: each of its blocks under its title."""
    for block in BLOCK.finditer((ROOT / "docs" / "authoring.md").read_text("utf-8")):
        if block["kind"] == "example":
            (directory / block["title"]).parent.mkdir(parents=True, exist_ok=True)
            (directory / block["title"]).write_text(block["text"])
    return load_scenario(directory / "scenario.yaml")


@pytest.fixture(scope="session")
def blocks() -> Blocks:
    """Every fenced block of every page."""
    return [(page, block) for page in PAGES for block in BLOCK.finditer(page.read_text("utf-8"))]


@pytest.fixture(scope="session")
def examples(blocks: Blocks) -> Mapping[str, str]:
    """The texts of the examples by name."""
    return {block["name"]: block["text"] for _, block in blocks if block["kind"] == "example"}


@pytest.fixture
def run(tmp_path: Path, make_scenario: Callable[..., Path]) -> Run:
    """Runs pytest beside a scenario ``maintenance-notice``, on the fake environment, as the run ``r``."""
    make_scenario("maintenance-notice", below=tmp_path / "scenarios")
    if not (tmp_path / "pyproject.toml").exists():
        (tmp_path / "pytest.ini").touch()

    def run(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PYTEST_ITBENCH_ENVIRONMENT": "fake",
            "PYTEST_ITBENCH_RUN": "r",
            "PYTHONPATH": str(path or ""),
            "COLUMNS": "200",
        }
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run
