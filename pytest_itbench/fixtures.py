"""The steps of an attempt as fixtures; a conftest replaces any of them by one of the same name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_itbench.collection import PLAN, Plan
from pytest_itbench.domain.candidate import Proposal
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import Environment
from pytest_itbench.models.base import Model
from pytest_itbench.models.choice import count_at_once
from pytest_itbench.runner import Runner
from pytest_itbench.running import Attempt, Validate, keep_logs, make_candidate, make_ready
from pytest_itbench.solvers.base import Solver
from pytest_itbench.solvers.single_shot import SingleShot
from pytest_itbench.validation.checks import run_checks


@pytest.fixture
def itbench_scenario(request: pytest.FixtureRequest) -> Scenario:
    """The scenario that is tried."""
    plan: Plan = request.node.stash[PLAN]
    return plan.scenario


@pytest.fixture
def itbench_attempt(request: pytest.FixtureRequest) -> Attempt:
    """The attempt: which one it is, how long its stages take, its evidence on disk."""
    plan: Plan = request.node.stash[PLAN]
    return Runner.of(request.config).begin(request.node, plan.scenario)


@pytest.fixture
def itbench_model(request: pytest.FixtureRequest, itbench_attempt: Attempt) -> Model:
    """The model that is asked: anything with ``ask(request) -> Reply``."""
    return Runner.of(request.config).find_model(itbench_attempt.model)


@pytest.fixture
def itbench_solver(itbench_model: Model) -> Solver:
    """How a candidate comes about: anything with ``propose(request) -> Proposal``."""
    return SingleShot(itbench_model)


@pytest.fixture
def itbench_validator() -> Validate:
    """Runs the scenario's checks: called with the scenario and its hosts, gives a CheckResult for each check."""
    return run_checks


@pytest.fixture
def itbench_environment(
    request: pytest.FixtureRequest, itbench_attempt: Attempt, itbench_validator: Validate
) -> Iterator[Environment]:
    """The started environment, in which the scenario's checks are known to fail; waits until there is room for it."""
    runner, scenario = Runner.of(request.config), itbench_attempt.scenario
    with runner.lease(scenario) as place:
        environment = runner.providers.of(scenario).create(scenario, runner.make_ground(itbench_attempt), place)
        try:
            make_ready(itbench_attempt, environment, itbench_validator)
            yield environment
        finally:
            if itbench_attempt.outcome is None:
                keep_logs(itbench_attempt, environment)
            environment.stop()


@pytest.fixture
def itbench_candidate(request: pytest.FixtureRequest, itbench_attempt: Attempt, itbench_solver: Solver) -> Proposal:
    """The model's answer. It is there before the environment is started, so that no machine waits for a model."""
    if count_at_once(itbench_attempt.model):  # a model that takes its time
        Runner.of(request.config).warm(itbench_attempt.scenario)
    return make_candidate(itbench_attempt, itbench_solver)
