"""What ``pytest-itbench doctor`` says of an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_itbench.domain.capacity import AMOUNTS, describe_amount
from pytest_itbench.environments.docker.engine import LABEL
from pytest_itbench.environments.docker.facts import find_unfitness
from pytest_itbench.environments.docker.place import Place

ENOUGH_DISK = 5 * 1024**3


def diagnose_engine(place: Place) -> Iterator[tuple[bool, str]]:
    """One finding at a time: whether it is well, and what was seen or what to do.

    Raises:
        EngineTrouble
    """
    engine, about = place.engine, place.engine.client.info()
    version, driver = about["ServerVersion"], about["Driver"]
    kind = "Podman" if engine.is_podman else "container engine"
    yield True, f"{kind}: {version} at {engine.name}, {driver}, cgroup v{about.get('CgroupVersion', '1')}"
    if problem := find_unfitness(about):
        yield False, f"bounds: {problem}"
        return
    yield True, f"bounds: memory, processors and processes; {_describe_seccomp(about)}"
    images = engine.client.images.list(filters={"label": LABEL})
    checkpoints = sum(image.labels.get(LABEL) == "checkpoint" for image in images)
    note = f"{len(images)} of this project's images, {checkpoints} of them checkpoints"
    yield True, f"images: {note if images else 'none built yet; the first run builds them (minutes)'}"
    if engine.is_local or images:
        yield from _diagnose_room(place)


def _diagnose_room(place: Place) -> Iterator[tuple[bool, str]]:
    facts = place.facts
    free = f"disk: {facts.disk / 1024**3:.0f} GiB free where the engine keeps its containers"
    enough = facts.disk >= ENOUGH_DISK
    yield enough, free if enough else f"{free}; 5 GiB are needed: docker system prune; pytest-itbench reap"
    amounts = ", ".join(describe_amount(name, amount) for name in AMOUNTS if (amount := getattr(facts.capacity, name)))
    yield True, f"room for environments: {amounts}"


def _describe_seccomp(about: Mapping[str, Any]) -> str:
    there = any("seccomp" in str(option) for option in about.get("SecurityOptions") or ())
    return "seccomp filters system calls" if there else "no seccomp here: system calls are not filtered"
