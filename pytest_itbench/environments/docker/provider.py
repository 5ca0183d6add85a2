"""The provider that is registered as ``docker``."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker.errors import DockerException
from docker.models.containers import Container
from docker.models.networks import Network

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import Ground
from pytest_itbench.environments.docker.engine import LABEL, connect_engine, engine_errors
from pytest_itbench.environments.docker.environment import DockerEnvironment
from pytest_itbench.environments.docker.image_store import ImageStore
from pytest_itbench.errors import EngineTrouble
from pytest_itbench.owner import is_gone

ENOUGH_DISK = 5 * 1024**3


class DockerProvider:
    """Implements `environments.base.EnvironmentProvider`."""

    def __init__(self, cache: Path) -> None:
        self._images = ImageStore(cache)
        self._remover = ThreadPoolExecutor(2, thread_name_prefix="itbench-remove")

    def prepare_images(self, scenarios: Iterable[Scenario]) -> Iterator[tuple[str, str]]:
        """Images in the order in which they build on each other."""
        yield self._images.control_image(), "the control machine"
        self._images.probe_volume()
        for scenario in scenarios:
            for host in scenario.hosts:
                yield self._images.host_image(host), f"{scenario.id}: {host.name}"

    def create(self, scenario: Scenario, ground: Ground) -> DockerEnvironment:
        """An environment of containers."""
        return DockerEnvironment(scenario, ground, self._images, self._remover)

    def sweep(self, owner: str) -> int:
        """Remove an owner's containers and networks."""
        return _remove_all(find_left(f"{LABEL}.owner={owner}"))

    def sweep_orphans(self) -> int:
        """Remove containers and networks whose owner was killed."""
        left = find_left(f"{LABEL}.owner")
        return _remove_all([thing for thing in left if is_gone(_read_labels(thing).get(f"{LABEL}.owner", ""))])

    def close(self) -> None:
        """Wait for the removals that were begun."""
        self._remover.shutdown(wait=True)

    def diagnose(self) -> Iterator[tuple[bool, str]]:
        """Engine, disk, images."""
        try:
            client = connect_engine()
            about = client.info()
        except (EngineTrouble, DockerException) as trouble:
            yield False, f"container engine: {trouble}; start one, or set DOCKER_HOST"
            return
        version, driver = about["ServerVersion"], about["Driver"]
        yield True, f"container engine: {version}, {driver}, cgroup v{about.get('CgroupVersion', '1')}"
        yield _diagnose_disk(Path(about.get("DockerRootDir", "/")))
        count = len(client.images.list(filters={"label": LABEL}))
        note = f"{count} of this project's images" if count else "none built yet; the first run builds them (minutes)"
        yield True, f"images: {note}"


def find_left(label: str) -> list[Container | Network]:
    """What carries a label, containers first: a network can be removed only when nothing is in it.

    Raises:
        EngineTrouble
    """
    chosen: dict[str, str | list[str] | bool] = {"label": label}
    with engine_errors("looking for what runs left behind"):
        client = connect_engine()
        return [*client.containers.list(all=True, filters=chosen), *client.networks.list(filters=chosen)]


def _remove_all(things: list[Container | Network]) -> int:
    removed = 0
    for thing in things:
        try:
            if isinstance(thing, Container):
                thing.remove(force=True, v=True)
            else:
                thing.remove()
            removed += 1
        except DockerException:  # another process was quicker
            continue
    return removed


def _read_labels(thing: Container | Network) -> dict[str, str]:
    if isinstance(thing, Container):
        return dict(thing.labels)
    return dict(thing.attrs.get("Labels") or {})


def _diagnose_disk(place: Path) -> tuple[bool, str]:
    if not place.exists():
        return True, "disk: the engine runs elsewhere; its disk is not looked at"
    free = shutil.disk_usage(place).free
    text = f"disk: {free / 1024**3:.0f} GiB free where the engine keeps its images"
    return free >= ENOUGH_DISK, text if free >= ENOUGH_DISK else f"{text}; 5 GiB are needed: docker system prune"
