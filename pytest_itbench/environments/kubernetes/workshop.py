"""This machine's engine, which makes what container scenarios start from, for a cluster's nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import Ground
from pytest_itbench.environments.docker.checkpoint import Start
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.environment import DockerEnvironment
from pytest_itbench.environments.docker.leftovers import Thing, remove_all
from pytest_itbench.environments.docker.place import Place
from pytest_itbench.environments.docker.subnets import Subnet
from pytest_itbench.environments.kubernetes.images import ClusterImages
from pytest_itbench.environments.kubernetes.machines import MachineImages
from pytest_itbench.errors import EngineTrouble


class Workshop:
    """Makes images and checkpoints as for containers, and has them taken to the nodes."""

    def __init__(self, cache: Path, owner: str, pools: Sequence[Subnet]) -> None:
        self._owner = owner
        self._place = Place(Engine(), cache, owner, pools, {})

    def find_start(self, scenario: Scenario, images: ClusterImages) -> tuple[MachineImages, int]:
        """From where attempts start: images by the names that nodes know, and how many steps are done in them.

        Raises:
            NotReady: a step failed.
            ImageTrouble, EngineTrouble
        """
        start: Start = DockerEnvironment(scenario, Ground.of_nothing(self._owner), self._place).find_start()
        found = MachineImages(
            closer=images.closer_image(),
            control=images.machine_image(),
            hosts={name: images.take(image) for name, image in start.images.items()},
        )
        return found, start.done

    def sweep(self, find: Callable[[Engine], list[Thing]]) -> list[str]:
        """Remove what the making of checkpoints left; nothing where there is no engine."""
        self._place.await_removals()
        with suppress(EngineTrouble):
            return remove_all(find(self._place.engine))
        return []

    def close(self) -> None:
        """Wait until everything is gone, and drop the connection."""
        self._place.await_removals()
        self._place.engine.close()
