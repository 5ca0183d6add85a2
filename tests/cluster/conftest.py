"""A real cluster: the one that PYTEST_ITBENCH_KUBECONFIG names, else kind's; without any these tests are skipped."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import ProviderOptions
from pytest_itbench.environments.kubernetes.absence import find_problem
from pytest_itbench.environments.kubernetes.api import Api
from pytest_itbench.environments.kubernetes.environment import KubernetesEnvironment
from pytest_itbench.environments.kubernetes.lease import LABEL, OWNER
from pytest_itbench.environments.kubernetes.provider import KubernetesProvider
from pytest_itbench.environments.kubernetes.sources import find_source
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.owner import describe_owner
from pytest_itbench.runner import find_cache
from pytest_itbench.testing.cluster_conformance import write_cluster_scenario
from pytest_itbench.testing.conformance import make_ground, make_options

TURNS = Path(tempfile.gettempdir(), "pytest-itbench-cluster-tests.lock")
Write = Callable[..., Scenario]
Start = Callable[..., KubernetesEnvironment]


@pytest.fixture(autouse=True)
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """The cluster, as its owner; a test marked ``alone`` waits until no other one uses it."""
    options = make_cluster_options()
    if problem := find_problem(options):
        pytest.skip(f"not on this machine: {problem}")
    source = find_source(options)
    source.ensure()
    api = Api(source.kubeconfig, source.context)
    with TURNS.open("w") as turns:
        fcntl.flock(turns, fcntl.LOCK_EX if request.node.get_closest_marker("alone") else fcntl.LOCK_SH)
        yield api
    api.close()


def make_cluster_options(owner: str = "") -> ProviderOptions:
    """The cluster that the environment names, else what kind has."""
    names = ("kubeconfig", "context", "cluster", "registry")
    given = {name: os.environ.get(f"PYTEST_ITBENCH_{name.upper()}", "") for name in names}
    return make_options(find_cache(), **given, owner=owner or describe_owner())


def make_provider(owner: str = "") -> KubernetesProvider:
    """A provider for the cluster."""
    return KubernetesProvider(make_cluster_options(owner))


def find_namespaces(api: Api, owner: str) -> list[str]:
    """The namespaces of an owner."""
    found = api.get("/api/v1/namespaces", labelSelector=LABEL)["items"]
    return [each["metadata"]["name"] for each in found if each["metadata"]["annotations"].get(OWNER) == owner]


@pytest.fixture
def provider() -> Iterator[KubernetesProvider]:
    """A provider, closed at the end."""
    provider = make_provider()
    yield provider
    provider.sweep(describe_owner())
    provider.close()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a scenario with a stack of one idle deployment, and loads it."""

    def write(kind: str = "script", **given: str) -> Scenario:
        file = write_cluster_scenario(tmp_path, kind, **given)
        return load_scenario.__wrapped__(file)

    return write


@pytest.fixture
def start(provider: KubernetesProvider, write: Write) -> Iterator[Start]:
    """Starts an environment that is ready; stopped at the end."""
    started: list[KubernetesEnvironment] = []
    provider.find_places()

    def start(kind: str = "script", **given: str) -> KubernetesEnvironment:
        environment = provider.create(write(kind, **given), make_ground(), "")
        assert isinstance(environment, KubernetesEnvironment)
        started.append(environment)
        environment.start()
        environment.prepare()
        return environment

    yield start
    for environment in started:
        environment.stop()
