"""One attempt on a cluster: its namespaces, the stack in them, what is broken, and the candidate's pod."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.parts import split_parts
from pytest_itbench.domain.scenario import CandidateKind, Cluster, Scenario
from pytest_itbench.environments.base import Ground
from pytest_itbench.environments.kubernetes import cleanliness, faults
from pytest_itbench.environments.kubernetes.alerts import Alerts
from pytest_itbench.environments.kubernetes.api import MERGE, Refused
from pytest_itbench.environments.kubernetes.evidence import collect_evidence
from pytest_itbench.environments.kubernetes.lease import (
    ATTEMPT,
    HOSTS,
    LABEL,
    OWNER,
    Lease,
    make_kubeconfig,
    plan_lease,
    take_lease,
)
from pytest_itbench.environments.kubernetes.place import LOAD, Place, annotate
from pytest_itbench.environments.kubernetes.runner import Errand, run_errand
from pytest_itbench.environments.kubernetes.snapshot import State, find_differences, take_state
from pytest_itbench.environments.kubernetes.stack import apply_all, await_ready
from pytest_itbench.environments.kubernetes.surroundings import Surroundings, look_around, refuse_lapse
from pytest_itbench.environments.kubernetes.view import ClusterView
from pytest_itbench.errors import EngineTrouble, NotReady

COMMANDS: Mapping[CandidateKind, tuple[str, ...]] = {
    CandidateKind.SCRIPT: ("bash", "/candidate/script.sh"),
    CandidateKind.MANIFESTS: ("kubectl", "apply", "--filename", "/candidate/manifests.yaml"),
    CandidateKind.EVIDENCE: ("bash", "/candidate/script.sh"),
}
KEPT = "kept"
NO_PODS = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": KEPT}, "spec": {"hard": {"pods": "0"}}}


@dataclass(slots=True)
class Held:
    """What an attempt has of the cluster while it runs.

    Attributes:
        before: what stood there when the candidate was applied.
        cluster_before: what the whole cluster was before an attempt that may change it.
        around: what the attempt depends on and its candidate cannot reach, then.
        symptom_after: seconds from the first fault to the last alert.
    """

    lease: Lease
    images: Mapping[str, str] = field(default_factory=dict)
    before: State = field(default_factory=dict)
    cluster_before: State | None = None
    around: Surroundings | None = None
    collected: dict[str, str | None] = field(default_factory=dict)
    applied: bool = False
    symptom_after: float = 0.0


class KubernetesEnvironment:
    """Implements `environments.base.Environment`."""

    def __init__(self, scenario: Scenario, ground: Ground, place: Place) -> None:
        """Nothing is started yet."""
        assert scenario.cluster
        self._scenario, self._cluster, self._ground, self._place = scenario, scenario.cluster, ground, place
        self._held: Held | None = None

    @property
    def held(self) -> Held:
        """What there is between `start` and `stop`."""
        assert self._held, "not started"
        return self._held

    @property
    def _reach(self) -> frozenset[str]:
        return cleanliness.find_reach(self._cluster)

    @property
    def _alerts(self) -> Alerts | None:
        stack = self._cluster.stack
        return Alerts(self._place.api, self.held.lease, stack) if stack and stack.alerts else None

    # --- start -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the lease, put the stack into it, and wait until it runs."""
        api, place = self._place.api, self._place
        self._held = Held(plan_lease(self._cluster))
        with place.noting_lost_images(), told("taking a lease of the cluster"):
            place.await_fit()
            if self._cluster.exclusive:
                self._refuse_company()
                self.held.cluster_before = cleanliness.record(api, self._reach)
            self.held.images = place.images.stack_images(self._cluster.stack)
            take_lease(api, self.held.lease, self._cluster, annotate(self._ground, self._scenario), place.run)
            if self.held.cluster_before is not None:
                cleanliness.keep_record(api, self.held.lease.control, self.held.cluster_before, self._reach)
            with place.starting():
                apply_all(api, self._cluster, self.held.lease, self.held.images)
                timeout = self._cluster.stack.ready_timeout if self._cluster.stack else self._scenario.limits.setup
                await_ready(api, tuple(self.held.lease.namespaces.values()), timeout)

    def _refuse_company(self) -> None:
        """Other runs are not asked to wait: whoever needs the cluster alone must find it empty."""
        others = [
            namespace["metadata"]["name"]
            for namespace in self._place.find_namespaces()
            if namespace["metadata"].get("annotations", {}).get(OWNER) != self._ground.owner
            and namespace["metadata"]["labels"].get(LABEL) in (ATTEMPT, HOSTS)
        ]
        if others:
            raise NotReady(
                f"it needs the cluster for itself, and another run uses it: {', '.join(others[:3])}",
                hint="wait for that run, or name another cluster; what is left of a killed one: pytest-itbench reap",
                cause="company",
                retries=3,
                pause=20.0,
            )

    def prepare(self) -> None:
        """See that all is well, break what is to be broken, and see that it shows; then note what stands there."""
        alerts, cluster, held = self._alerts, self._cluster, self.held
        with told("making the scenario ready"):
            if alerts and cluster.stack:
                alerts.await_healthy(cluster.stack.ready_timeout)
            begun = time.monotonic()
            faults.inject(self._place.api, held.lease, held.images, cluster.faults)
            if alerts and cluster.alerts:
                alerts.await_firing(cluster.alerts, cluster.symptom_timeout)
            held.symptom_after = time.monotonic() - begun
            held.before = take_state(self._place.api, held.lease.namespaces)
            held.around = self._look_around()

    def _look_around(self) -> Surroundings:
        return look_around(self._place.api, self._place.run, self.held.lease.namespaces.values())

    # --- the candidate and the checks --------------------------------------------------------------------------

    @contextmanager
    def connect(self) -> Iterator[Mapping[str, Any]]:
        """The cluster, as checks see it."""
        held = self.held
        with told("looking at the cluster"):
            yield {
                "cluster": ClusterView(
                    self._place.api,
                    held.lease,
                    self._alerts,
                    before=held.before,
                    find_of_cluster=self._find_of_cluster if held.cluster_before is not None else None,
                    collected=held.collected,
                    patient=held.applied,
                )
            }

    def _find_of_cluster(self) -> list[str]:
        now = cleanliness.record(self._place.api, self._reach)
        return find_differences(self.held.cluster_before or {}, now)

    def apply(self, candidate: str) -> Application:
        """Run the candidate from a pod of its own; one that collects evidence once for each namespace it may see."""
        self.held.applied = True
        kind = self._scenario.candidate
        files = split_parts(kind, candidate)
        with self._place.noting_lost_images(), told("running the candidate"):
            if kind is not CandidateKind.EVIDENCE:
                return self._run(files, self._cluster.namespaces[0].name)[0]
            names = [each.name for each in self._cluster.namespaces if each.rights != "none"]
            with ThreadPoolExecutor(len(names)) as pool:
                done = list(pool.map(lambda name: self._run(files, name), names))
        self.held.collected = {name: result for name, (_, result) in zip(names, done, strict=True)}
        return _join(names, [application for application, _ in done])

    def _run(self, files: Mapping[str, str], first: str) -> tuple[Application, str | None]:
        place, lease = self._place, self.held.lease
        ordered = sorted(self._cluster.namespaces, key=lambda each: each.name != first)
        begin = Cluster(namespaces=tuple(ordered))
        kubeconfig = make_kubeconfig(place.api, lease, begin, place.authority)
        errand = Errand(
            namespace=lease.control,
            command=COMMANDS[self._scenario.candidate],
            files={**files, "kubeconfig": kubeconfig},
            seconds=self._scenario.limits.candidate,
            environment={
                f"NAMESPACE_{each.name.upper().replace('-', '_')}": lease.namespaces[each.name]
                for each in self._cluster.namespaces
                if each.rights != "none"
            },
        )
        return run_errand(place.api, errand, place.images.control_image(), place.access)

    def change(self) -> str:
        """Nothing: what changes between two runs are hosts."""
        return ""

    def end_candidate(self) -> None:
        """Its pod is gone already, and what it may do goes with its account."""
        lease = self.held.lease
        with told("ending the candidate's account"):
            self._place.api.delete(f"/api/v1/namespaces/{lease.control}/serviceaccounts/candidate")

    def refuse_disturbance(self) -> None:
        """Nodes, the run's guard, and nobody else where the attempt has the cluster to itself."""
        with told("looking at the cluster"):
            if self._cluster.exclusive:
                self._refuse_company()
            if self.held.around:
                refuse_lapse(self.held.around, self._look_around())

    # --- the end -----------------------------------------------------------------------------------------------

    def read_logs(self) -> dict[str, str]:
        """Events, pods, logs of what is not well, nodes."""
        return collect_evidence(self._place.api, self.held.lease.namespaces) if self._held else {}

    def keep(self) -> str:
        """Leave the namespaces, out of reach of every sweep; gives the command to look at the first of them."""
        lease = self.held.lease
        with told("keeping the namespaces"):
            command = keep_namespaces(self._place, lease.all, lease.namespaces[self._cluster.namespaces[0].name])
            # Others need the cluster as it was; whoever removes the namespaces later must not put it back once more.
            self._clean(self.held)
            cleanliness.drop_record(self._place.api, lease.control)
        self._held = None
        return f"{command} get all"

    def stop(self) -> None:
        """Have the namespaces removed in the background; undo at once what was done to the whole cluster."""
        held, self._held = self._held, None
        if held is None:
            return
        self._place.release(held.lease.all, held.lease.name)
        self._clean(held)

    def _clean(self, held: Held) -> None:
        if held.cluster_before is not None:
            cleanliness.clean_or_retire(self._place.api, held.cluster_before, self._reach)


def keep_namespaces(place: Place, names: Sequence[str], first: str) -> str:
    """Take namespaces out of every sweep's reach; gives the beginning of a command that works in the first.

    No pod can be made there any more: the guard goes with the run, and what a candidate left may still try.

    Raises:
        Refused, EngineTrouble
    """
    for name in names:
        place.api.create(f"/api/v1/namespaces/{name}/resourcequotas", NO_PODS)
        patch = {"metadata": {"labels": {LABEL: KEPT}, "annotations": {OWNER: None, LOAD: None}}}
        place.api.patch(f"/api/v1/namespaces/{name}", patch, MERGE)
    source = place.source
    context = f" --context {shlex.quote(source.context)}" if source.context else ""
    return f"kubectl --kubeconfig {shlex.quote(str(source.kubeconfig))}{context} --namespace {first}"


def _join(names: list[str], applications: list[Application]) -> Application:
    """Several runs as one: the first failure counts."""
    failed = next((each for each in applications if each.status != 0), applications[0])
    return Application(
        status=failed.status,
        output="".join(f"--- {name}\n{each.output}\n" for name, each in zip(names, applications, strict=True)),
        events=(),
        seconds=max(each.seconds for each in applications),
    )


@contextmanager
def told(doing: str) -> Iterator[None]:
    """What the cluster refuses us is no candidate's doing."""
    try:
        yield
    except Refused as refused:
        raise EngineTrouble(
            f"{doing}: the cluster refused: {refused}",
            hint="may the kubeconfig's user do that? pytest-itbench doctor",
            cause="cluster",
            retries=1,
        ) from refused
