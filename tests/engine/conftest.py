"""Real containers; without an engine these tests are skipped, which CI takes for a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.environment import DockerEnvironment
from pytest_itbench.environments.docker.provider import DockerProvider
from pytest_itbench.errors import EngineTrouble
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.owner import describe_owner
from pytest_itbench.runner import find_cache
from pytest_itbench.testing.conformance import make_ground, make_options

Start = Callable[..., DockerEnvironment]


@pytest.fixture(autouse=True)
def engine() -> Iterator[Engine]:
    """The usual engine."""
    engine = Engine()
    try:
        _ = engine.client
    except EngineTrouble as trouble:
        pytest.skip(f"no container engine: {trouble.message}")
    yield engine
    engine.close()


@pytest.fixture
def provider() -> Iterator[DockerProvider]:
    """A provider, closed at the end."""
    provider = DockerProvider(make_options(find_cache()))
    yield provider
    provider.sweep(describe_owner())
    provider.close()


@pytest.fixture
def write(make_scenario: Callable[..., Path]) -> Callable[..., Scenario]:
    """Writes a scenario with extra keys and files, and loads it."""

    def write(extra: str = "", files: dict[str, str] | None = None, host: str = "{}") -> Scenario:
        directory = make_scenario("real")
        for name, text in (files or {}).items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(dedent(text))
        file = directory / "scenario.yaml"
        file.write_text(file.read_text().replace("web: {}", f"web: {host}") + dedent(extra))
        return load_scenario(file)

    return write


@pytest.fixture
def start(provider: DockerProvider, write: Callable[..., Scenario]) -> Iterator[Start]:
    """Starts an environment of a scenario that is written on the spot."""
    started: list[DockerEnvironment] = []

    def start(extra: str = "", files: dict[str, str] | None = None, host: str = "{}") -> DockerEnvironment:
        environment = provider.create(write(extra, files, host), make_ground(), next(iter(provider.find_places())))
        started.append(environment)
        environment.start()
        environment.prepare()
        return environment

    yield start
    for environment in started:
        environment.stop()
