"""No machine at all: the candidate is data, and is judged as data. Serves scenarios without hosts and cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from testinfra.host import Host

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import Ground, ProviderOptions


class BareEnvironment:
    """Implements `environments.base.Environment`."""

    def start(self) -> None:
        """Nothing to start."""

    def prepare(self) -> None:
        """Nothing to prepare."""

    @contextmanager
    def connect(self) -> Iterator[Mapping[str, Host]]:
        """No hosts."""
        yield {}

    def apply(self, candidate: str) -> Application:
        """Nothing is run: checks look at the candidate itself."""
        return Application(status=0, output=f"{len(candidate)} characters\n", events=(), seconds=0.0)

    def change(self) -> str:
        """Nothing to change."""
        return ""

    def end_candidate(self) -> None:
        """Nothing runs on."""

    def refuse_disturbance(self) -> None:
        """Nothing is apart from it."""

    def read_logs(self) -> dict[str, str]:
        """No logs."""
        return {}

    def keep(self) -> str:
        """Nothing to keep."""
        return "true  # there are no machines"

    def stop(self) -> None:
        """Nothing to stop."""


class BareProvider:
    """Implements `environments.base.EnvironmentProvider`."""

    def __init__(self, options: ProviderOptions) -> None:
        del options

    def hand_over(self) -> dict[str, str]:
        """Nothing to tell."""
        return {}

    def find_places(self) -> dict[str, Load]:
        """This process, with room for everything."""
        return {"here": Load()}

    def find_foreign_load(self, place: str) -> Load:
        """Nobody else takes room."""
        del place
        return Load()

    def measure(self, scenario: Scenario) -> Load:
        """It takes no room."""
        del scenario
        return Load()

    def prepare(self, scenarios: Iterable[Scenario]) -> Iterator[tuple[str, str]]:
        """No images."""
        del scenarios
        yield from ()

    def warm(self, scenario: Scenario, place: str) -> None:
        """Nothing to warm."""
        del scenario, place

    def create(self, scenario: Scenario, ground: Ground, place: str) -> BareEnvironment:
        """An environment of nothing."""
        del scenario, ground, place
        return BareEnvironment()

    def sweep(self, owner: str) -> tuple[str, ...]:
        """Nothing is ever left."""
        del owner
        return ()

    def sweep_orphans(self) -> tuple[str, ...]:
        """Nothing is ever left."""
        return ()

    def sweep_kept(self) -> tuple[str, ...]:
        """Nothing is ever kept."""
        return ()

    def close(self) -> None:
        """Nothing to wait for."""

    def diagnose(self) -> Iterator[tuple[bool, str]]:
        """Nothing can be wrong."""
        yield from ()
