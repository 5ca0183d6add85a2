"""What a provider of environments offers to the rest of the package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from testinfra.host import Host

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.outcome import AttemptKey
from pytest_itbench.domain.scenario import Scenario


class Environment(Protocol):
    """The machines of one attempt. Methods are called in the order in which they stand here.

    Every method raises `AttemptInvalid` (or one of its kinds) when the trouble is not the candidate's doing.
    """

    def start(self) -> None:
        """Create and start the machines; returns once each of them answers.

        Raises:
            ImageTrouble, EngineTrouble, NotReady
        """

    def prepare(self) -> None:
        """Run the scenario's setup and trigger, and wait for its probes.

        Raises:
            NotReady: a step failed, or a probe did not succeed in time.
        """

    def connect(self) -> AbstractContextManager[Mapping[str, Host]]:
        """Connections for validators, by host name; nothing of them stays behind afterwards.

        Raises:
            EngineTrouble
        """

    def apply(self, candidate: str) -> Application:
        """Run the candidate once, within the scenario's time limit.

        Raises:
            EngineTrouble: the machine from which it runs is gone.
        """

    def end_candidate(self) -> None:
        """End everything that still runs where the candidate was run from: validators look at what it left, not at it.

        Raises:
            EngineTrouble
        """

    def read_logs(self) -> Mapping[str, str]:
        """The log of each machine, cut to a bound; what cannot be read is left out."""

    def stop(self) -> None:
        """Remove everything; may return before the work is done, never raises, may be called twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an environment belongs to, for its labels.

    Attributes:
        owner: the process that started the run (`owner.describe_owner`); while it lives, nobody else removes the
            environment.
    """

    run: str
    key: AttemptKey
    owner: str


class EnvironmentProvider(Protocol):
    """Makes environments; one per process, chosen by name (entry-point group ``pytest_itbench.environments``)."""

    def prepare_images(self, scenarios: Iterable[Scenario]) -> Iterator[tuple[str, str]]:
        """Get or build what the scenarios need ahead of time; yields each image and what it is for, once it is there.

        Raises:
            ImageTrouble, EngineTrouble
        """

    def create(self, scenario: Scenario, ground: Ground) -> Environment:
        """An environment that is not started yet."""

    def sweep(self, owner: str) -> int:
        """Remove what is left of an owner's environments; returns how many things were removed."""

    def sweep_orphans(self) -> int:
        """Remove what owners left behind that are no more (`owner.is_gone`); returns how many things were removed."""

    def close(self) -> None:
        """Wait until everything that was stopped is gone."""

    def diagnose(self) -> Iterator[tuple[bool, str]]:
        """Lines for ``pytest-itbench doctor``: whether it is well, and what was seen or what to do."""


class ProviderFactory(Protocol):
    """What an entry point of ``pytest_itbench.environments`` names."""

    def __call__(self, cache: Path) -> EnvironmentProvider:
        """Make the provider; `cache` is a directory that it may share with other processes."""
