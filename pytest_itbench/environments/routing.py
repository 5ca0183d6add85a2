"""Which provider a scenario's environments come from: hosts, a cluster, or nothing at all."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Protocol

from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.admission import Admission, Lease
from pytest_itbench.environments.base import EnvironmentProvider, ProviderOptions
from pytest_itbench.environments.kubernetes.absence import find_problem as find_cluster_problem
from pytest_itbench.once import once_property
from pytest_itbench.registry import find_implementation

BARE = "bare"
KUBERNETES = "kubernetes"
REMEDY = "name a test cluster (--kubeconfig FILE), or install kind, which makes one in containers"


class Providers:
    """The providers of a process, each made when it is first needed."""

    def __init__(self, options: ProviderOptions, hosts: str) -> None:
        """`hosts` is the provider of scenarios with hosts."""
        self._options, self._hosts = options, hosts
        self._made: dict[str, EnvironmentProvider] = {}
        self._making = threading.Lock()

    def name(self, scenario: Scenario) -> str:
        """The provider's name."""
        if scenario.hosts:
            return self._hosts
        return KUBERNETES if scenario.cluster else BARE

    def of(self, scenario: Scenario) -> EnvironmentProvider:
        """The provider.

        Raises:
            UnknownName, MissingExtra, OptionMistake
        """
        return self.get(self.name(scenario))

    def get(self, name: str) -> EnvironmentProvider:
        """The provider of a name."""
        with self._making:
            if name not in self._made:
                self._made[name] = find_implementation("environments", name)(self._options)
            return self._made[name]

    def find_missing(self, scenario: Scenario) -> str:
        """Why a scenario cannot be tried here and is left out; empty when nothing is missing."""
        if self.name(scenario) != KUBERNETES:
            return ""
        return self._cluster_problem

    @once_property
    def _cluster_problem(self) -> str:
        return find_cluster_problem(self._options)

    def find_needed(self, scenarios: Iterable[Scenario]) -> list[EnvironmentProvider]:
        """The providers of some scenarios, those with hosts first."""
        return [self.get(name) for name in dict.fromkeys(self.name(scenario) for scenario in scenarios)]

    def find_usable(self) -> list[EnvironmentProvider]:
        """The provider of hosts, and that of a cluster where there is one."""
        names = [self._hosts] if self._cluster_problem else [self._hosts, KUBERNETES]
        return [self.get(name) for name in dict.fromkeys(names)]

    def diagnose(self) -> Iterator[tuple[bool, str]]:
        """What each usable provider has and lacks, and why there is no cluster, if there is none."""
        for provider in self.find_usable():
            yield from provider.diagnose()
        if problem := self._cluster_problem:
            yield True, f"cluster: none, and scenarios that need one are skipped: {problem}; {REMEDY}"

    def prepare(self, scenarios: Iterable[Scenario]) -> Iterator[tuple[str, str]]:
        """What each provider prepares, for those scenarios that can be tried here."""
        able: dict[str, list[Scenario]] = {}
        for scenario in scenarios:
            if not self.find_missing(scenario):
                able.setdefault(self.name(scenario), []).append(scenario)
        for name, those in able.items():
            yield from self.get(name).prepare(those)

    def sweep(self, owner: str) -> list[str]:
        """Remove what is left of an owner's environments, wherever some were made."""
        return [name for provider in self._made.values() for name in provider.sweep(owner)]

    def close(self) -> None:
        """Close all that were made."""
        with ExitStack() as closing:  # each of them, whatever becomes of another
            for provider in self._made.values():
                closing.callback(provider.close)


class AdmissionsKeeper(Protocol):
    """What a worker needs of the admissions, in this process or another."""

    def enter(self, provider: str, holder: str, load: Load) -> Lease:
        """Wait until there is room somewhere."""

    def leave(self, provider: str, number: int) -> None:
        """Give a lease back."""


class Admissions:
    """One admission for each provider: that of hosts does not wait for the cluster."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._admissions: dict[str, Admission] = {}
        self._gone: list[str] = []
        self._making = threading.Lock()

    def enter(self, provider: str, holder: str, load: Load) -> Lease:
        """Wait until there is room somewhere."""
        return self._find(provider).enter(holder, load)

    def leave(self, provider: str, number: int) -> None:
        """Give a lease back."""
        self._find(provider).leave(number)

    def forget(self, holder: str) -> None:
        """Free what a process held that died."""
        with self._making:
            self._gone.append(holder)
            for admission in self._admissions.values():
                admission.forget(holder)

    @property
    def peak(self) -> int:
        """The most leases that one provider had given at once."""
        return max((each.peak for each in self._admissions.values()), default=0)

    def _find(self, provider: str) -> Admission:
        with self._making:
            if provider not in self._admissions:
                admission = self._admissions[provider] = Admission(lambda: self._providers.get(provider))
                for holder in self._gone:
                    admission.forget(holder)
            return self._admissions[provider]


class ForOne:
    """The part of `Admissions` that is for one provider: an `admission.AdmissionKeeper`."""

    def __init__(self, admissions: AdmissionsKeeper, provider: str) -> None:
        self._admissions, self._provider = admissions, provider

    def enter(self, holder: str, load: Load) -> Lease:
        """Wait until there is room."""
        return self._admissions.enter(self._provider, holder, load)

    def leave(self, number: int) -> None:
        """Give a lease back."""
        self._admissions.leave(self._provider, number)
