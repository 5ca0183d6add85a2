"""What every provider of environments must do; subclass it in a test module and give it a provider and a scenario.

::

    class TestMine(EnvironmentConformance):
        @pytest.fixture
        def provider(self, tmp_path):
            return MyProvider(make_options(tmp_path))
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.domain.capacity import cap_cpus
from pytest_itbench.domain.outcome import AttemptKey
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import Environment, EnvironmentProvider, Ground, ProviderOptions
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models.controls import NOTHING
from pytest_itbench.options import find_default
from pytest_itbench.owner import describe_owner
from pytest_itbench.scaffold import write_scenario

FAILING = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.fail: {msg: "as asked"}
# fake: fail as asked
"""
MARKING = """
- hosts: web
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.copy: {content: "marked", dest: /candidate}
"""


def make_ground(run: str = "conformance", owner: str = "") -> Ground:
    """A ground of the running process."""
    key = AttemptKey(scenario="s", model="m", index=0)
    return Ground(run=run, key=key, owner=owner or describe_owner())


def make_options(cache: Path, **given: Any) -> ProviderOptions:
    """Options of the running process, with the usual addresses."""
    return ProviderOptions(
        **{"cache": cache, "owner": describe_owner(), "network_pools": find_default("itbench_network_pool"), **given}
    )


class EnvironmentConformance:
    """Tests of a provider; the subclass gives the fixture ``provider`` and may give another ``scenario``."""

    @pytest.fixture
    def provider(self) -> EnvironmentProvider:
        """The provider under test."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _tidy(self, provider: EnvironmentProvider) -> Iterator[None]:
        yield
        provider.sweep(describe_owner())
        provider.close()

    @pytest.fixture
    def scenario(self, tmp_path: Path) -> Scenario:
        """A scenario with the hosts web and db."""
        write_scenario(tmp_path / "notice")
        return load_scenario(tmp_path / "notice" / "scenario.yaml")

    @pytest.fixture
    def place(self, provider: EnvironmentProvider) -> str:
        """Where the machines are."""
        return next(iter(provider.find_places()))

    @pytest.fixture
    def environment(self, provider: EnvironmentProvider, scenario: Scenario, place: str) -> Iterator[Environment]:
        """An environment that is ready."""
        environment = provider.create(scenario, make_ground(), place)
        try:
            environment.start()
            environment.prepare()
            yield environment
        finally:
            environment.stop()

    def test_every_host_answers_by_its_name(self, environment: Environment) -> None:
        """A connection leads to the host after which it is named."""
        with environment.connect() as hosts:
            assert {name: host.run("hostname").stdout.strip() for name, host in hosts.items()} == {
                "web": "web",
                "db": "db",
            }

    def test_a_command_that_is_not_there_fails(self, environment: Environment) -> None:
        """Exit status and stderr of a command reach the validator."""
        with environment.connect() as hosts:
            ran = hosts["web"].run("no-such-command")
        assert (ran.rc, ran.stdout) == (127, "")
        assert "no-such-command" in ran.stderr

    def test_doing_nothing_succeeds_without_a_change(self, environment: Environment) -> None:
        """A candidate that does nothing ends well and changes nothing."""
        application = environment.apply(NOTHING["playbook.yml"])
        assert (application.status, application.changes, application.failures) == (0, (), ())

    def test_a_failure_is_told_by_event(self, environment: Environment) -> None:
        """A task that fails is reported with its message."""
        application = environment.apply(FAILING)
        assert application.status not in (0, None)
        assert "as asked" in application.failures[-1].message

    def test_a_change_that_nobody_asked_for_is_none(self, environment: Environment) -> None:
        """Without steps between two runs there is nothing that could fail."""
        assert environment.change() == ""

    def test_connections_open_again_after_the_candidate(self, environment: Environment) -> None:
        """Validators look twice: before the candidate and after it."""
        with environment.connect() as hosts:
            hosts["web"].run("hostname")
        environment.apply(NOTHING["playbook.yml"])
        with environment.connect() as hosts:
            assert hosts["web"].run("hostname").stdout.strip() == "web"

    def test_what_was_stopped_can_begin_anew(self, environment: Environment) -> None:
        """A second start gives machines that know nothing of the first ones."""
        environment.apply(MARKING)
        environment.stop()
        environment.start()
        environment.prepare()
        with environment.connect() as hosts:
            assert "marked" not in hosts["web"].run("cat /candidate").stdout

    def test_stop_may_be_called_twice_or_too_early(
        self, provider: EnvironmentProvider, scenario: Scenario, place: str
    ) -> None:
        """Stopping never raises."""
        environment = provider.create(scenario, make_ground(), place)
        environment.stop()
        environment.stop()

    def test_nothing_is_left_after_stop(self, provider: EnvironmentProvider, scenario: Scenario, place: str) -> None:
        """What was stopped is gone once the provider is closed."""
        environment = provider.create(scenario, make_ground(owner="conformance-left"), place)
        environment.start()
        environment.stop()
        provider.close()
        assert list(provider.sweep("conformance-left")) == []

    def test_a_sweep_takes_what_is_its_owners_alone(
        self, provider: EnvironmentProvider, scenario: Scenario, place: str, environment: Environment
    ) -> None:
        """Another run's machines go on; a second sweep finds nothing."""
        swept = provider.create(scenario, make_ground(owner="conformance-swept"), place)
        swept.start()
        provider.sweep("conformance-swept")
        assert list(provider.sweep("conformance-swept")) == []
        with environment.connect() as hosts:
            assert hosts["web"].run("hostname").rc == 0
        swept.stop()

    def test_a_scenario_fits_into_an_empty_place(
        self, provider: EnvironmentProvider, scenario: Scenario, place: str
    ) -> None:
        """What it may use is told, and there is room for it."""
        load = cap_cpus(provider.measure(scenario), provider.find_places()[place])
        assert load.memory > 0
        assert load.fits(provider.find_places()[place])
