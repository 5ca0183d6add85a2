"""Kubernetes: what a lease costs, whether many attempts at once deceive each other, how soon faults show.

Needs a cluster that PYTEST_ITBENCH_KUBECONFIG names; nothing else should run there.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.result import Result
from pytest_itbench.domain.scenario import Cluster, Namespace, Scenario
from pytest_itbench.environments.kubernetes.api import Api
from pytest_itbench.environments.kubernetes.lease import await_gone, plan_lease, release_lease, take_lease
from pytest_itbench.environments.kubernetes.provider import KubernetesProvider
from pytest_itbench.errors import AttemptInvalid
from pytest_itbench.loading.scenario import find_scenario_files, load_scenario
from pytest_itbench.runner import find_cache
from pytest_itbench.testing.conformance import make_ground, make_options

ROOT = Path(__file__).parents[1]
KUBECONFIG = "PYTEST_ITBENCH_KUBECONFIG"
LEASES = 15
AT_ONCE = 8
REPEATS = 5
GONE_TARGET = 10
TWO = Cluster(namespaces=(Namespace(name="work", rights="admin", quota=(("pods", "10"),)), Namespace(name="watch")))


def measure_lease() -> Result:
    """Leases one after the other, each with a running pod, none waiting for what the last one left."""
    if not os.environ.get(KUBECONFIG):
        return Result(text=f"skipped: {KUBECONFIG} names no cluster", met=True)
    taken, returned = [], []
    lease = plan_lease(TWO)
    with cluster() as (api, image):
        for _ in range(LEASES):
            begun, lease = time.monotonic(), plan_lease(TWO)
            take_lease(api, lease, TWO, {}, "benchmark")
            taken.append(time.monotonic() - begun)
            run_pod(api, lease.namespaces["work"], image)
            begun = time.monotonic()
            release_lease(api, lease.all, lease.name)
            returned.append(time.monotonic() - begun)
        begun = time.monotonic()
        await_gone(api, lease.all)
        gone = time.monotonic() - begun
        plain = delete_plainly(api, image)
    median = statistics.median(taken)
    text = (
        f"taken in {median:.2f} s at the median, released in {max(returned):.2f} s at most, gone {gone:.1f} s later;"
        f" a namespace deleted plainly is gone in {plain:.1f} s: {gone / plain:.2f} times"
    )
    return Result(text=text, met=median < 1 and max(returned) < 1 and gone < GONE_TARGET)


@contextmanager
def cluster() -> Iterator[tuple[Api, str]]:
    """The cluster, and an image that it has."""
    provider = make_provider()
    provider.find_places()
    try:
        yield provider.place.api, provider.place.images.control_image()
    finally:
        provider.close()


def make_provider() -> KubernetesProvider:
    """A provider of this process."""
    return KubernetesProvider(make_options(find_cache(), kubeconfig=os.environ[KUBECONFIG]))


def run_pod(api: Api, namespace: str, image: str) -> None:
    """Start a pod that does not end when it is asked to, and wait for it."""
    container = {"name": "c", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["sleep", "infinity"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    api.create(f"/api/v1/namespaces/{namespace}/pods", pod)
    while api.get(f"/api/v1/namespaces/{namespace}/pods/p")["status"]["phase"] != "Running":
        time.sleep(0.2)


def delete_plainly(api: Api, image: str) -> float:
    """Seconds that a namespace with a running pod takes to go when it is just deleted."""
    lease = plan_lease(TWO)
    take_lease(api, lease, TWO, {}, "benchmark")
    run_pod(api, lease.namespaces["work"], image)
    begun = time.monotonic()
    for name in lease.all:
        api.delete(f"/api/v1/namespaces/{name}")
    await_gone(api, lease.all)
    return time.monotonic() - begun


def measure_flight() -> Result:
    """Eight attempts at once, half of them right and half of them idle, five times; any other verdict is false."""
    if not os.environ.get(KUBECONFIG):
        return Result(text=f"skipped: {KUBECONFIG} names no cluster", met=True)
    seen: Counter[str] = Counter()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="itbench-") as place:
        for number in range(REPEATS):
            run_at_once(Path(place), f"r{number}")
            lines = (Path(place) / f"r{number}" / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()
            for outcome in map(json.loads, lines):
                seen[f"{outcome['key']['model']} {outcome['verdict']}"] += 1
    spent = (time.monotonic() - begun) / REPEATS
    right = {"oracle solved": REPEATS * AT_ONCE // 2, "noop missed": REPEATS * AT_ONCE // 2}
    told = ", ".join(f"{count} {name}" for name, count in sorted(seen.items()))
    return Result(text=f"{told}; {spent:.0f} s for {AT_ONCE} attempts at once", met=seen == right)


def run_at_once(place: Path, run: str) -> None:
    """One run of eight attempts."""
    options = ["--itbench-model=oracle", "--itbench-model=noop", f"--itbench-attempts={AT_ONCE // 2}"]
    scenario = "scenarios/sre/stock-scaled-away"
    where = [f"--itbench-reports={place}", f"--itbench-run={run}", "-n", str(AT_ONCE), "-p", "no:cacheprovider"]
    subprocess.run(
        [sys.executable, "-m", "pytest", scenario, *options, *where], cwd=ROOT, check=False, stdout=subprocess.DEVNULL
    )


def measure_symptoms() -> Result:
    """Seconds from the first fault to the last alert, for each scenario that has faults."""
    if not os.environ.get(KUBECONFIG):
        return Result(text=f"skipped: {KUBECONFIG} names no cluster", met=True)
    provider = make_provider()
    provider.find_places()
    try:
        found = {scenario.id: measure_symptom(provider, scenario) for scenario in find_faulty()}
    finally:
        provider.close()
    told = ", ".join(f"{name} {'none' if after is None else f'{after:.0f} s'}" for name, after in found.items())
    return Result(text=told, met=all(after is not None for after in found.values()))


def find_faulty() -> list[Scenario]:
    """The scenarios of this repository with faults."""
    scenarios = map(load_scenario, find_scenario_files(ROOT / "scenarios"))
    return [each for each in scenarios if each.cluster and each.cluster.faults]


def measure_symptom(provider: KubernetesProvider, scenario: Scenario) -> float | None:
    """Seconds until the symptom showed; None when it did not."""
    environment = provider.create(scenario, make_ground(), "")
    try:
        environment.start()
        environment.prepare()
    except AttemptInvalid:
        return None
    else:
        return environment.held.symptom_after
    finally:
        environment.stop()
