"""All that environments on one engine share within a process."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.docker.checkpoint import CheckpointStore, Record, Start
from pytest_itbench.environments.docker.disk import DiskWatch
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.facts import Facts, Subnet, look_at
from pytest_itbench.environments.docker.image_store import ImageStore
from pytest_itbench.environments.docker.leftovers import remove_attempt
from pytest_itbench.environments.docker.witness import Witness
from pytest_itbench.once import once_property

LOG = logging.getLogger(__name__)


class Place:
    """One engine with its images, addresses, watchers; made once per process and engine.

    Attributes:
        pools: the addresses from which attempts' networks come.
    """

    def __init__(
        self, engine: Engine, cache: Path, owner: str, pools: Sequence[Subnet], given: Mapping[str, float]
    ) -> None:
        self.engine, self.pools, self._given = engine, tuple(pools), given
        self.images = ImageStore(engine, cache)
        self._checkpoints = CheckpointStore(engine, self.images, cache)
        self.disk = DiskWatch(engine)
        self.witness = Witness(engine, owner)
        self._remover = ThreadPoolExecutor(2, thread_name_prefix="itbench-remove")
        self._removals: list[Future[None]] = []

    @once_property
    def facts(self) -> Facts:
        """What the engine's machine has, as it was when it was first asked for.

        Raises:
            EngineTrouble: the engine fails, or cannot bound what runs there.
        """
        return look_at(self.engine, self.images.control_image, self._given)

    def find_start(self, scenario: Scenario, record: Record) -> Start:
        """The scenario's checkpoint: see `checkpoint.CheckpointStore`."""
        return self._checkpoints.find_start(scenario, record)

    def remove(self, containers: Sequence[str], network: str) -> None:
        """Remove an attempt's containers and network in the background."""
        self._removals = [removal for removal in self._removals if not removal.done()]
        self._removals.append(self._remover.submit(self._remove, containers, network))

    def _remove(self, containers: Sequence[str], network: str) -> None:
        try:
            remove_attempt(self.engine, containers, network)
        except Exception:  # nobody asks what came of it
            LOG.exception("removing %s failed; the end of the run tries again", network)

    def await_removals(self) -> None:
        """Wait until what was to be removed is gone."""
        wait(self._removals)
