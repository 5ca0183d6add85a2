"""All that environments on one cluster share within a process."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import CandidateKind, Scenario
from pytest_itbench.environments.base import Ground
from pytest_itbench.environments.docker.subnets import Subnet
from pytest_itbench.environments.kubernetes.api import Api, Object
from pytest_itbench.environments.kubernetes.cleanliness import DIRTY
from pytest_itbench.environments.kubernetes.images import ClusterImages
from pytest_itbench.environments.kubernetes.lease import LABEL, OWNER, RUN, await_gone, release_lease
from pytest_itbench.environments.kubernetes.machines import TURN, MachineImages, measure_machines
from pytest_itbench.environments.kubernetes.runner import REQUESTS, Access, find_access
from pytest_itbench.environments.kubernetes.sources import Source
from pytest_itbench.environments.kubernetes.stack import measure_pods, parse_quantity
from pytest_itbench.environments.kubernetes.surroundings import await_node
from pytest_itbench.environments.kubernetes.workshop import Workshop
from pytest_itbench.errors import AttemptInvalid, EngineTrouble
from pytest_itbench.once import once_property

LOG = logging.getLogger(__name__)
LOAD = f"{LABEL}/load"
CANDIDATE_MEMORY = 512 * 1024**2
WAIT = 0.2
RESERVE = 0.95
"""Part of what nodes offer that is given away."""


class Place:
    """One cluster; made once per process."""

    def __init__(
        self, source: Source, cache: Path, owner: str, given: Mapping[str, float], pools: Sequence[Subnet] = ()
    ) -> None:
        self.source, self._cache, self._given = source, cache, given
        self.workshop = Workshop(cache, owner, pools)
        self.owner, self.run = owner, hashlib.sha256(owner.encode()).hexdigest()[:16]
        self._releaser = ThreadPoolExecutor(4, thread_name_prefix="itbench-release")
        self._releases: list[Future[None]] = []

    @once_property
    def api(self) -> Api:
        """The cluster, as the kubeconfig's user."""
        return Api(self.source.kubeconfig, self.source.context)

    @once_property
    def images(self) -> ClusterImages:
        """Images that its nodes can use."""
        return ClusterImages(self._cache, self.uid, self.source.deliver)

    def find_start(self, scenario: Scenario) -> tuple[MachineImages, int]:
        """From where attempts of a container scenario start: see `workshop.Workshop`."""
        return self.workshop.find_start(scenario, self.images)

    @once_property
    def access(self) -> Access:
        """How pods reach the API server."""
        return find_access(self.api)

    @once_property
    def authority(self) -> str:
        """The certificate by which pods know the API server."""
        found = self.api.find("/api/v1/namespaces/default/configmaps/kube-root-ca.crt")
        return str(found["data"]["ca.crt"])

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Wait for one of the cluster's turns to start many pods; one for each processor, of all runs of this machine.

        More of them would not be ready sooner, and what already runs would be slowed down so much that alarms go off.
        """
        places = self._cache / "starting"
        places.mkdir(parents=True, exist_ok=True)
        slots = [places / f"{self.uid}-{number}.lock" for number in range(self._processors)]
        while True:
            for slot in slots:
                with suppress(Timeout), FileLock(slot, timeout=0):
                    yield
                    return
            time.sleep(WAIT)

    @once_property
    def uid(self) -> str:
        """What names the cluster for good."""
        return str(self.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])

    @once_property
    def _processors(self) -> int:
        nodes = self.api.get("/api/v1/nodes")["items"]
        return max(1, int(_sum([node["status"]["allocatable"] for node in nodes], "cpu")))

    def find_capacity(self) -> Load:
        """What is free on the nodes; what the user states counts instead."""
        nodes = [node for node in self.api.get("/api/v1/nodes")["items"] if not node["spec"].get("unschedulable")]
        pods = self.api.get("/api/v1/pods")["items"]
        ours = set(self._find_ours())
        others = [pod for pod in pods if pod["metadata"]["namespace"] not in ours]
        offered = [node["status"]["allocatable"] for node in nodes]
        found = Load(
            memory=RESERVE * _sum(offered, "memory") - sum(_find_request(pod, "memory") for pod in others),
            cpus=_sum(offered, "cpu") - sum(_find_request(pod, "cpu") for pod in others),
            pids=_sum(offered, "pods") - len(others),
            share=1.0,
        )
        known = {name: value for name, value in self._given.items() if name in ("memory", "cpus")}
        return replace(found, **known)

    def _find_ours(self) -> list[str]:
        return [namespace["metadata"]["name"] for namespace in self.find_namespaces()]

    def find_namespaces(self) -> list[Object]:
        """All namespaces of attempts and guards, of every run."""
        found: list[Object] = self.api.get("/api/v1/namespaces", labelSelector=LABEL)["items"]
        return found

    def find_foreign_load(self) -> Load:
        """What attempts of other runs may use; each attempt tells it once."""
        loads = {
            namespace["metadata"]["labels"].get(f"{LABEL}/lease"): namespace["metadata"]["annotations"][LOAD]
            for namespace in self.find_namespaces()
            if LOAD in namespace["metadata"].get("annotations", {})
            and namespace["metadata"]["annotations"].get(OWNER) != self.owner
        }
        return sum((Load(**json.loads(text)) for text in loads.values()), start=Load())

    def release(self, namespaces: Sequence[str], lease: str) -> None:
        """Remove an attempt's namespaces and rights, and see in the background that they are gone."""
        self._releases = [each for each in self._releases if not each.done()]
        self._releases.append(self._releaser.submit(self._release, tuple(namespaces), lease))

    def _release(self, namespaces: tuple[str, ...], lease: str) -> None:
        try:
            release_lease(self.api, namespaces, lease)
            left = await_gone(self.api, namespaces)
        except Exception:  # nobody asks what came of it
            LOG.exception("removing lease %s failed; the end of the run tries again", lease)
        else:
            if left:
                LOG.warning(
                    "%s of lease %s are not known to be gone; the end of the run tries again", ", ".join(left), lease
                )

    @contextmanager
    def noting_lost_images(self) -> Iterator[None]:
        """Have images that a node lacks delivered once more: nodes remove some, and new ones have none."""
        try:
            yield
        except AttemptInvalid as trouble:
            self.images.forget_missing(trouble.message)
            raise

    def await_fit(self) -> None:
        """Wait for a node that is ready, and see that nobody left the cluster in disorder.

        Raises:
            EngineTrouble: none is, or somebody did.
        """
        await_node(self.api)
        annotations = self.api.get("/api/v1/namespaces/kube-system")["metadata"].get("annotations", {})
        if why := annotations.get(DIRTY):
            raise EngineTrouble(
                f"cluster {self.source.name} was retired: {why}",
                hint=f"make a new one, or put it right and: kubectl annotate namespace kube-system {DIRTY}-",
                cause="dirty cluster",
            )

    def await_releases(self) -> None:
        """Wait until what was released is gone."""
        wait(self._releases)


def measure_load(scenario: Scenario) -> Load:
    """What an attempt's pods may use: memory at their limits, processors and pods as they ask for them."""
    if scenario.cluster is None:
        return measure_machines(scenario)
    pods = measure_pods(scenario.cluster)
    # One that collects evidence is run in all namespaces at once.
    seen = sum(each.rights != "none" for each in scenario.cluster.namespaces)
    candidates = seen if scenario.candidate is CandidateKind.EVIDENCE else 1
    return Load(
        memory=pods["memory"] + candidates * CANDIDATE_MEMORY,
        cpus=pods["cpus"] + candidates * parse_quantity(REQUESTS["cpu"]),
        pids=pods["pods"] + candidates,
        share=1.0 if scenario.cluster.exclusive else TURN,
    )


def annotate(ground: Ground, scenario: Scenario) -> dict[str, str]:
    """What a namespace tells of itself: whose it is, for what, and what its pods may use."""
    return {
        OWNER: ground.owner,
        RUN: ground.run,
        f"{LABEL}/worker": ground.worker,
        f"{LABEL}/attempt": str(ground.key),
        LOAD: json.dumps(asdict(measure_load(scenario))),
    }


def _sum(offered: Sequence[Mapping[str, str]], name: str) -> float:
    return sum(parse_quantity(each[name]) for each in offered)


def _find_request(pod: Object, name: str) -> float:
    if pod["status"].get("phase") in ("Succeeded", "Failed"):
        return 0.0
    containers = pod["spec"]["containers"]
    return sum(parse_quantity(each.get("resources", {}).get("requests", {}).get(name, "0")) for each in containers)
