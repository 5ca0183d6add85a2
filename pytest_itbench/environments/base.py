"""What a provider of environments offers to the rest of the package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.outcome import AttemptKey
from pytest_itbench.domain.scenario import Scenario


class Environment(Protocol):
    """The machines of one attempt. Methods are called in the order in which they stand here.

    Every method raises `AttemptInvalid` (or one of its kinds) when the trouble is not the candidate's doing.
    """

    def start(self) -> None:
        """Create and start the machines; returns once each of them answers. After `stop`, it begins anew.

        Raises:
            ImageTrouble, EngineTrouble, NotReady
        """

    def prepare(self) -> None:
        """Run the scenario's setup and trigger, and wait for its probes.

        Raises:
            NotReady: a step failed, or a probe did not succeed in time.
        """

    def connect(self) -> AbstractContextManager[Mapping[str, Any]]:
        """What checks may ask for, by name: a testinfra host for each machine, or the cluster.

        Nothing of it stays behind afterwards.

        Raises:
            EngineTrouble
        """

    def apply(self, candidate: str) -> Application:
        """Run the candidate once, within the scenario's time limit.

        Raises:
            EngineTrouble: the machine from which it runs is gone.
        """

    def change(self) -> str:
        """Do what the scenario does between two runs of the candidate; says what failed, if anything did.

        A step that fails meets what the candidate left behind.

        Raises:
            EngineTrouble
        """

    def end_candidate(self) -> None:
        """End everything that still runs where the candidate was run from: validators look at what it left, not at it.

        Raises:
            EngineTrouble
        """

    def refuse_disturbance(self) -> None:
        """See that nothing happened to what the candidate cannot reach and yet depends on. Asked before a miss is told.

        Raises:
            EngineTrouble: something did.
        """

    def read_logs(self) -> Mapping[str, str]:
        """The log of each machine, cut to a bound; what cannot be read is left out."""

    def keep(self) -> str:
        """Leave the machines for a person to look at; gives the command to enter one. `stop` lets them be.

        Raises:
            EngineTrouble
        """

    def stop(self) -> None:
        """Remove everything; may return before the work is done, never raises, may be called twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an environment belongs to, for its labels.

    Attributes:
        owner: the process that started the run (`owner.describe_owner`); while it lives, nobody else removes the
            environment.
        worker: which of the run's processes tries the attempt.
    """

    run: str
    key: AttemptKey
    owner: str
    worker: str = "main"

    @classmethod
    def of_nothing(cls, owner: str) -> Ground:
        """The ground of machines that no attempt uses."""
        return cls(run="", key=AttemptKey(scenario="", model="", index=0), owner=owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """What the user and the run tell a provider; it takes what concerns it.

    Attributes:
        cache: a directory that it may share with other processes.
        owner: as in `Ground`.
        docker_hosts: the engines that the user names, as Docker's own command does.
        reached: what `hand_over` gave in the process that started the run; empty in that process.
        network_pools: addresses for attempts' networks, as in 10.200.0.0/16.
        capacity: amounts of a `Load` that the user states for each place.
        kubeconfig, context: the cluster that the user names.
        cluster: who makes a cluster where none is named, as in ``kind`` or ``kind:NAME``.
        registry: by which a cluster's nodes get the images that are built here.
    """

    cache: Path
    owner: str = ""
    docker_hosts: tuple[str, ...] = ()
    reached: Mapping[str, str] = field(default_factory=dict)
    network_pools: tuple[str, ...] = ()
    capacity: tuple[tuple[str, float], ...] = ()
    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    registry: str = ""


class EnvironmentProvider(Protocol):
    """Makes environments; one per process, chosen by name (entry-point group ``pytest_itbench.environments``).

    Where there are several places for machines, such as engines, each has a name.
    """

    def hand_over(self) -> Mapping[str, str]:
        """What the run's other processes are told (`ProviderOptions.reached`), as plain text.

        Raises:
            EngineTrouble: a place cannot be reached.
        """

    def find_places(self) -> Mapping[str, Load]:
        """What each place has for machines, as it is now.

        Raises:
            EngineTrouble
        """

    def find_foreign_load(self, place: str) -> Load:
        """What other runs use there now.

        Raises:
            EngineTrouble
        """

    def measure(self, scenario: Scenario) -> Load:
        """What the machines of one attempt may use together."""

    def prepare(self, scenarios: Iterable[Scenario]) -> Iterator[tuple[str, str]]:
        """Get or build what the scenarios need ahead of time; yields each image and what it is for, once it is there.

        Raises:
            NotReady, ImageTrouble, EngineTrouble
        """

    def warm(self, scenario: Scenario, place: str) -> None:
        """The same for one scenario in one place, ahead of its first attempt.

        Raises:
            NotReady, ImageTrouble, EngineTrouble
        """

    def create(self, scenario: Scenario, ground: Ground, place: str) -> Environment:
        """An environment that is not started yet."""

    def sweep(self, owner: str) -> Sequence[str]:
        """Remove what is left of an owner's environments; gives the names of what was removed."""

    def sweep_orphans(self) -> Sequence[str]:
        """Remove what owners left behind that are no more (`owner.is_gone`); gives the names of what was removed."""

    def sweep_kept(self) -> Sequence[str]:
        """Remove what was kept (`Environment.keep`); gives the names of what was removed."""

    def close(self) -> None:
        """Wait until everything that was stopped is gone."""

    def diagnose(self) -> Iterator[tuple[bool, str]]:
        """Lines for ``pytest-itbench doctor``: whether it is well, and what was seen or what to do."""


class ProviderFactory(Protocol):
    """What an entry point of ``pytest_itbench.environments`` names."""

    def __call__(self, options: ProviderOptions) -> EnvironmentProvider:
        """Make the provider; it connects to nothing before it is used.

        Raises:
            OptionMistake: an option cannot be used.
        """
