"""The provider that is registered as ``docker``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from docker.errors import DockerException

from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import Ground, ProviderOptions
from pytest_itbench.environments.docker.diagnosis import diagnose_engine
from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.environments.docker.environment import DockerEnvironment, measure_load
from pytest_itbench.environments.docker.leftovers import Thing, find_kept, find_left, read_labels, remove_all
from pytest_itbench.environments.docker.place import Place
from pytest_itbench.environments.docker.subnets import Subnet
from pytest_itbench.environments.docker.tunnel import Tunnels
from pytest_itbench.errors import EngineTrouble, OptionMistake
from pytest_itbench.once import once_property
from pytest_itbench.owner import is_gone

Find = Callable[[Engine], list[Thing]]


class DockerProvider:
    """Implements `environments.base.EnvironmentProvider`; each engine is a place."""

    def __init__(self, options: ProviderOptions) -> None:
        """Nothing is connected yet.

        Raises:
            OptionMistake: an address pool is none.
        """
        self._options = options
        self._pools = [read_pool(text) for text in options.network_pools]
        self._tunnels = Tunnels()

    @once_property
    def _places(self) -> dict[str, Place]:
        options = self._options
        reached = options.reached or self._reach()
        engines = [Engine(name, address) for name, address in reached.items()]
        return {
            engine.name: Place(engine, options.cache, options.owner, self._pools, dict(options.capacity))
            for engine in engines
        }

    def _reach(self) -> dict[str, str]:
        """Each engine by name with the address at which this machine reaches it."""
        names = self._options.docker_hosts or (Engine().name,)
        return {name: self._tunnels.reach(name) for name in dict.fromkeys(names)}

    def hand_over(self) -> dict[str, str]:
        """The engines, by the addresses at which every process of this machine reaches them."""
        return {name: place.engine.address for name, place in self._places.items()}

    def find_places(self) -> dict[str, Load]:
        """What each engine's machine has.

        Raises:
            EngineTrouble: one of the engines fails, or cannot be used.
        """
        first: dict[str, str] = {}
        for name, place in self._places.items():
            known = first.setdefault(str(place.engine.about.get("ID", name)), name)
            if known != name:
                raise OptionMistake(f"--itbench-docker-host: {known} and {name} are one and the same engine")
        return {name: place.facts.capacity for name, place in self._places.items()}

    def find_foreign_load(self, place: str) -> Load:
        """What running attempts of other owners may use."""
        engine = self._places[place].engine
        with engine.errors("looking at what other runs use"):
            found = engine.api.containers(filters={"label": f"{LABEL}.load"})
        owners = {each["Labels"].get(f"{LABEL}.owner", "") for each in found}
        others = {owner for owner in owners if owner != self._options.owner and not is_gone(owner)}
        labels = [each["Labels"] for each in found if each["Labels"].get(f"{LABEL}.owner", "") in others]
        # Every machine of an attempt tells of all of them.
        loads = {label.get(f"{LABEL}.network"): label[f"{LABEL}.load"] for label in labels}
        return sum((Load(**json.loads(text)) for text in loads.values()), start=Load())

    def measure(self, scenario: Scenario) -> Load:
        """What its machines may use together."""
        return measure_load(scenario)

    def prepare(self, scenarios: Iterable[Scenario]) -> Iterator[tuple[str, str]]:
        """Images in the order in which they build on each other, then checkpoints."""
        for place in self._places.values():
            yield place.images.control_image(), "the control machine"
            place.images.probe_volume()
            for scenario in scenarios:
                for host in scenario.hosts:
                    yield place.images.host_image(host), f"{scenario.id}: {host.name}"
                self.warm(scenario, place.engine.name)

    def warm(self, scenario: Scenario, place: str) -> None:
        """Get images and checkpoint."""
        ground = Ground.of_nothing(self._options.owner)
        environment = DockerEnvironment(scenario, ground, self._places[place])
        environment.find_start()

    def create(self, scenario: Scenario, ground: Ground, place: str) -> DockerEnvironment:
        """An environment of containers."""
        return DockerEnvironment(scenario, ground, self._places[place])

    def sweep(self, owner: str) -> list[str]:
        """Remove an owner's containers and networks."""
        return self._remove(lambda engine: find_left(engine, f"{LABEL}.owner={owner}"))

    def sweep_orphans(self) -> list[str]:
        """Remove containers and networks whose owner was killed."""
        return self._remove(find_orphans)

    def sweep_kept(self) -> list[str]:
        """Remove what was kept."""
        return self._remove(find_kept)

    def _remove(self, find: Find) -> list[str]:
        self._await_removals()
        return [name for place in self._places.values() for name in remove_all(find(place.engine))]

    def close(self) -> None:
        """Wait for the removals that were begun."""
        self._await_removals()
        for place in self._places.values() if "_places" in vars(self) else ():
            place.engine.close()
        self._tunnels.close()

    def _await_removals(self) -> None:
        for place in self._places.values() if "_places" in vars(self) else ():
            place.await_removals()

    def diagnose(self) -> Iterator[tuple[bool, str]]:
        """Engine, bounds, disk, images."""
        try:
            places = self._places.values()
        except EngineTrouble as trouble:
            yield False, f"container engine: {trouble.message}; {trouble.hint}"
            return
        for place in places:
            try:
                yield from diagnose_engine(place)
            except (EngineTrouble, DockerException) as trouble:
                yield False, f"container engine: {trouble}; start one, or set DOCKER_HOST"


def find_orphans(engine: Engine) -> list[Thing]:
    """What belongs to processes of this machine that are no more.

    Raises:
        EngineTrouble
    """
    left = find_left(engine, f"{LABEL}.owner")
    return [thing for thing in left if is_gone(read_labels(thing).get(f"{LABEL}.owner", ""))]


def read_pool(text: str) -> Subnet:
    """A network from its text.

    Raises:
        OptionMistake: it is none.
    """
    try:
        return Subnet(text)
    except ValueError as error:
        raise OptionMistake(f"--itbench-network-pool: {text!r} is no network such as 10.200.0.0/16: {error}") from None
