"""Which of a scenario's steps are kept with its hosts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_itbench.domain.scenario import Scenario, Step
from pytest_itbench.environments.docker import checkpoint
from pytest_itbench.environments.docker.checkpoint import CheckpointStore, Start
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.image_store import ImageStore
from pytest_itbench.loading.scenario import load_scenario

FILES, ENDS, STAYS = "files", "ends", "stays"


class Hosts:
    """Hosts on which each step leaves files alone, something that ends after a while, or something that stays."""

    def __init__(self, leaves: dict[str, str]) -> None:
        self._leaves, self._staying, self._passing = leaves, list[str](), 0

    def start(self) -> None:
        """They are there."""

    def stop(self) -> None:
        """They are gone."""

    def run_step(self, step: Step) -> None:
        """Leave what the step leaves."""
        left = self._leaves[step.path.name]
        if left == STAYS:
            self._staying.append(f"process {step.path.name}")
        self._passing = checkpoint.LOOKS if left == ENDS else 0

    def look(self, command: str) -> str:
        """What runs."""
        passing = ["process that ends"] if self._passing > 0 and command == checkpoint.VOLATILE else []
        self._passing -= 1
        return "\n".join(["process sshd", *self._staying, *passing])

    def find_container(self, host: str) -> str:
        """By its own name."""
        return host


class FakeEngine:
    """Keeps what is kept, and finds no image."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.api = SimpleNamespace(commit=lambda container, *_, **_options: self.kept.append(container))
        self.client = SimpleNamespace(
            images=SimpleNamespace(get=lambda _: SimpleNamespace(attrs={"Config": {}}, labels={}))
        )

    def errors(self, doing: str) -> AbstractContextManager[None]:
        """They pass."""
        del doing
        return nullcontext()


@pytest.fixture
def scenario(make_scenario: Callable[..., Path]) -> Scenario:
    """Of two steps."""
    directory = make_scenario()
    scenario = load_scenario(directory / "scenario.yaml")
    steps = []
    for name in ("one.sh", "two.sh"):
        (directory / name).write_text("true\n")
        steps.append(Step(path=directory / name, kind="script", hosts=("web",)))
    return replace(scenario, setup=tuple(steps))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other."""
    monkeypatch.setattr(checkpoint, "PAUSE", 0)


def make(scenario: Scenario, place: Path, tries: Iterator[dict[str, str]]) -> tuple[Start, FakeEngine]:
    """A checkpoint; on the hosts of each try the steps leave something else."""
    engine = FakeEngine()
    images: Any = SimpleNamespace(
        host_image=lambda host: f"image-of-{host.name}",
        control_image=lambda: "control",
        locked=lambda _: nullcontext(),
        is_here=lambda _: True,
    )
    store = CheckpointStore(cast("Engine", engine), cast("ImageStore", images), place)
    return store.find_start(scenario, lambda _: Hosts(next(tries))), engine


@pytest.mark.parametrize(
    ("tries", "done"),
    [
        ([(FILES, FILES)], 2),
        ([(FILES, ENDS)], 2),
        ([(ENDS, ENDS)], 2),
        ([(FILES, STAYS), (FILES, STAYS), (FILES, FILES)], 1),
        ([(STAYS, FILES), (STAYS, FILES)], 0),
        # What did not stay on other hosts was chance, as on a machine that had too much to do.
        ([(FILES, STAYS), (FILES, FILES)], 2),
        ([(STAYS, FILES), (FILES, STAYS), (FILES, FILES)], 1),
    ],
)
def test_steps_are_kept_up_to_the_first_that_leaves_more_than_files(
    scenario: Scenario, tmp_path: Path, tries: list[tuple[str, str]], done: int
) -> None:
    """And that it leaves more must be seen on two sets of hosts."""
    start, engine = make(scenario, tmp_path, (dict(zip(("one.sh", "two.sh"), each, strict=True)) for each in tries))
    assert start.done == done
    assert len(engine.kept) == (len(scenario.hosts) if done else 0)
    assert len(list(tmp_path.rglob("*.none"))) == (0 if done else 1)


def test_a_look_that_takes_long_is_not_the_last(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine what ends is looked at as often as elsewhere."""
    hosts = Hosts({"one.sh": ENDS, "two.sh": FILES})
    clock = iter(range(0, 10_000, 60))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    assert checkpoint.count_clean(hosts, scenario.setup) == (2, [])
