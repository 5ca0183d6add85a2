"""Shared by all tiers: tiers by directory, and scenarios made on the spot."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

pytest_plugins = ["pytester"]

# Shells start background jobs deaf to Ctrl-C, and what tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TIERS = ("plugin", "xdist", "models", "vllm", "page", "engine", "faults", "attacks", "cluster")

PROMPT = "".join(f"{{% block level_{n} %}}Level {n}: make the candidate right.{{% endblock %}}\n" for n in (1, 2, 3))
PLAY = "- hosts: all\n  tasks: []\n"
VALIDATOR = '''
def check_candidate_is_right(web):
    """The candidate says so."""
    assert "right" in web.run("cat /candidate").stdout, "the candidate does not say: right"


def check_host_is_there(web):
    assert web.run("hostname").rc == 0
'''


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the directory it lies in."""
    for item in items:
        tier = item.path.parent.name
        if tier in TIERS:
            item.add_marker(tier)


def write_scenario(directory: Path, extra: str = "", validator: str = VALIDATOR, domain: str = "templating") -> Path:
    """A scenario for the fake environment: solved by any play that holds the word right."""
    for name in ("solution", "counterexamples"):
        (directory / name).mkdir(parents=True)
    text = f"title: A test\ndomain: {domain}\ndifficulty: easy\nhosts:\n  web: {{}}\n"
    if "counterexamples:" not in extra:
        text += "counterexamples:\n  - {path: counterexamples/wrong.yml, caught_by: candidate_is_right, why: wrong}\n"
    (directory / "scenario.yaml").write_text(text + dedent(extra).strip() + "\n")
    (directory / "prompt.md.j2").write_text(PROMPT)
    (directory / "validate.py").write_text(validator)
    (directory / "solution" / "playbook.yml").write_text(PLAY + "# right\n")
    (directory / "counterexamples" / "wrong.yml").write_text(PLAY + "# wrong\n")
    return directory


@pytest.fixture
def make_scenario(tmp_path: Path) -> Callable[..., Path]:
    """Writes a scenario for the fake environment by name; gives its directory."""

    def make(name: str = "one", *, below: Path | None = None, **content: str) -> Path:
        return write_scenario((below or tmp_path) / name, **content)

    return make


@pytest.fixture
def variables_that_come_and_go() -> Iterator[None]:
    """Another thread sets and removes an environment variable all the time, as pytest does with each test's phases."""
    over = threading.Event()

    def change() -> None:
        while not over.is_set():
            os.environ["ITBENCH_COMES_AND_GOES"] = "here"
            del os.environ["ITBENCH_COMES_AND_GOES"]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=change)
    thread.start()
    yield
    over.set()
    thread.join()
    sys.setswitchinterval(interval)
