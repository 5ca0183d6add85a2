"""The provider that is registered as ``kubernetes``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial

from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import Ground, ProviderOptions
from pytest_itbench.environments.docker.engine import LABEL as ENGINE_LABEL
from pytest_itbench.environments.docker.leftovers import find_left
from pytest_itbench.environments.docker.provider import Find, find_orphans, read_pool
from pytest_itbench.environments.kubernetes.absence import find_problem
from pytest_itbench.environments.kubernetes.api import Api, Object, Refused
from pytest_itbench.environments.kubernetes.diagnosis import diagnose_cluster
from pytest_itbench.environments.kubernetes.environment import KubernetesEnvironment, told
from pytest_itbench.environments.kubernetes.guard import start_guard
from pytest_itbench.environments.kubernetes.leftovers import (
    is_guard_of,
    is_kept,
    is_owned_by,
    remove_left,
    remove_orphans,
)
from pytest_itbench.environments.kubernetes.place import Place, measure_load
from pytest_itbench.environments.kubernetes.pods import PodsEnvironment
from pytest_itbench.environments.kubernetes.sources import find_source
from pytest_itbench.errors import AttemptInvalid, EngineTrouble
from pytest_itbench.once import once_property

LOG = logging.getLogger(__name__)
Remove = Callable[[Api, list[Object]], list[str]]
"""Removes some of the namespaces of a cluster."""


class KubernetesProvider:
    """Implements `environments.base.EnvironmentProvider`; the cluster is its one place."""

    def __init__(self, options: ProviderOptions) -> None:
        """Nothing is connected yet."""
        self._options = options
        self._is_made, self._guard, self._guarding = False, "", threading.Lock()

    @once_property
    def place(self) -> Place:
        options = self._options
        pools = [read_pool(text) for text in options.network_pools]
        return Place(find_source(options), options.cache, options.owner, dict(options.capacity), pools)

    @property
    def _is_used(self) -> bool:
        return "place" in vars(self)

    def hand_over(self) -> dict[str, str]:
        """Nothing: other processes read the same kubeconfig."""
        return {}

    def find_places(self) -> dict[str, Load]:
        """The cluster, made if it is one of ours, rid of what killed runs left, and with the run's guard.

        Raises:
            EngineTrouble: it does not answer.
        """
        place = self._make()
        with told("looking at the cluster"):
            remove_orphans(place.api, place.find_namespaces())
            capacity = place.find_capacity()
        with told("starting the guard of attempts' pods"), self._guarding:
            if not self._guard:
                self._guard = self._start_guard()
        return {place.source.name: capacity}

    def _make(self) -> Place:
        """The cluster, made if it is one of ours; whose provider made it removes it in `close`."""
        with self._guarding:
            if not self._is_made:
                self.place.source.ensure()
                self._is_made = True
        return self.place

    def _start_guard(self) -> str:
        """Start the guard; once more with its image delivered anew, if that was taken to be there and is not."""
        place = self.place
        try:
            return start_guard(place.api, place.images.control_image(), place.owner, place.run)
        except EngineTrouble as trouble:
            if not place.images.forget_missing(trouble.message):
                raise
        remove_left(place.api, place.find_namespaces(), is_guard_of(place.owner))
        return start_guard(place.api, place.images.control_image(), place.owner, place.run)

    def find_foreign_load(self, place: str) -> Load:
        """What attempts of other runs may use."""
        del place
        with told("looking at what other runs use"):
            return self.place.find_foreign_load()

    def measure(self, scenario: Scenario) -> Load:
        """What its pods may use together."""
        return measure_load(scenario)

    def prepare(self, scenarios: Iterable[Scenario]) -> Iterator[tuple[str, str]]:
        """Images, and the way of each to the nodes."""
        place = self._make()
        with told("preparing the cluster"):
            yield place.images.control_image(), "where candidates for the cluster run"
            for scenario in scenarios:
                for name, image in self._find_images(scenario).items():
                    yield image, f"{scenario.id}: {name}"

    def warm(self, scenario: Scenario, place: str) -> None:
        """Images, and the checkpoint of a container scenario."""
        del place
        with told("preparing the cluster"):
            self.place.images.control_image()
            self._find_images(scenario)

    def _find_images(self, scenario: Scenario) -> dict[str, str]:
        """Those that the scenario's pods are made of, by what they are for."""
        if scenario.cluster is None:
            return dict(self.place.find_start(scenario)[0].hosts)
        return self.place.images.stack_images(scenario.cluster.stack)

    def create(self, scenario: Scenario, ground: Ground, place: str) -> KubernetesEnvironment | PodsEnvironment:
        """An environment of namespaces, or of pods in the place of containers."""
        del place
        if scenario.cluster is None:
            return PodsEnvironment(scenario, ground, self.place)
        return KubernetesEnvironment(scenario, ground, self.place)

    def sweep(self, owner: str) -> list[str]:
        """Remove an owner's namespaces, its guard too."""
        # This machine's engine first: it is there, whatever has become of the cluster.
        return [
            *self._clear(partial(find_left, label=f"{ENGINE_LABEL}.owner={owner}")),
            *self._remove(partial(remove_left, wanted=is_owned_by(owner))),
        ]

    def sweep_orphans(self) -> list[str]:
        """Remove namespaces whose owner was killed, with what they left of rights and webhooks."""
        return [*self._clear(find_orphans), *self._remove(remove_orphans)]

    def sweep_kept(self) -> list[str]:
        """Remove what was kept."""
        return self._remove(partial(remove_left, wanted=is_kept))

    def _clear(self, find: Find) -> list[str]:
        """Remove what the making of checkpoints left on this machine's engine."""
        return self.place.workshop.sweep(find)

    def _remove(self, remove: Remove) -> list[str]:
        place = self.place
        place.await_releases()
        if not place.source.kubeconfig.is_file():  # a cluster of ours that was never made
            return []
        with told("removing namespaces"):
            return remove(place.api, place.find_namespaces())

    def close(self) -> None:
        """Wait for what was released; stop the guard if it is ours. Trouble is told and ends nothing."""
        if not self._is_used:
            return
        place, is_made, guard = self.place, self._is_made, self._guard
        self._is_made, self._guard = False, ""  # whoever calls again does not try again
        try:
            with ExitStack() as closing:
                closing.callback(place.api.close)
                closing.callback(place.workshop.close)
                if is_made:
                    closing.callback(place.source.close)
                place.await_releases()
                if guard:
                    self.sweep(self._options.owner)
        except AttemptInvalid as trouble:
            LOG.warning("left on cluster %s: %s", place.source.name, trouble)

    def diagnose(self) -> Iterator[tuple[bool, str]]:
        """Whether there is a cluster, and what it has."""
        if problem := find_problem(self._options):
            yield True, f"cluster: none; scenarios that need one are skipped: {problem}"
            return
        try:
            yield from diagnose_cluster(self.place)
        except (EngineTrouble, Refused) as trouble:
            hint = getattr(trouble, "hint", "")
            yield False, f"cluster: {trouble}" + (f"; {hint}" if hint else "")
