"""One attempt of a container scenario on a cluster: hosts and control machine as pods of a namespace of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import Ground
from pytest_itbench.environments.docker.engine import Member
from pytest_itbench.environments.docker.guard import Guard
from pytest_itbench.environments.docker.inventory import make_key
from pytest_itbench.environments.docker.probe import PATH
from pytest_itbench.environments.docker.stream import Link, Ran
from pytest_itbench.environments.hosts import CONTROL, OPS, WORK, HostsEnvironment, run_together
from pytest_itbench.environments.kubernetes.api import Object, Refused
from pytest_itbench.environments.kubernetes.environment import keep_namespaces, told
from pytest_itbench.environments.kubernetes.evidence import collect_evidence
from pytest_itbench.environments.kubernetes.exec import describe_writing, open_link, run_in_pod
from pytest_itbench.environments.kubernetes.guard import describe_waiting
from pytest_itbench.environments.kubernetes.lease import HOSTS, await_account, make_namespace, plan_name
from pytest_itbench.environments.kubernetes.lookout import ClusterWitness, PodLookout
from pytest_itbench.environments.kubernetes.machines import (
    CLOSER,
    CONTAINER,
    PLAIN,
    describe_control,
    describe_host,
    describe_policy,
    refuse_unfit,
)
from pytest_itbench.environments.kubernetes.place import Place, annotate
from pytest_itbench.errors import AttemptInvalid, EngineTrouble, ImageTrouble

START_WITHIN = 180.0
ADMIT_WITHIN = 60.0
WRITE_WITHIN = 30.0
GONE_WITHIN = 60.0
STEP = 0.2
NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
AS_OPS = ("setpriv", f"--reuid={OPS}", f"--regid={OPS}", "--clear-groups", "--no-new-privs")
# The cluster tells of a pod's end once nothing of it runs any more; without any grace it would not wait for that.
ENDED = {"gracePeriodSeconds": 1, "propagationPolicy": "Background"}


class PodsEnvironment(HostsEnvironment):
    """Implements `environments.base.Environment`."""

    def __init__(self, scenario: Scenario, ground: Ground, place: Place) -> None:
        """Nothing is started yet."""
        super().__init__(scenario, scenario.limits.check)
        self._ground, self._place, self._api = ground, place, place.api
        self.namespace = ""
        self._guard: Guard | None = None

    @property
    def guard(self) -> Guard:
        """Who looks into trouble with the machines."""
        assert self._guard, "not started"
        return self._guard

    @property
    def _root(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    @property
    def _names(self) -> list[str]:
        return [CONTROL, *(host.name for host in self._scenario.hosts)]

    # --- start -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the namespace and its pods, close their network but for each other, and wait until each answers."""
        refuse_unfit(self._scenario)
        with self._place.noting_lost_images(), told("starting the machines"):
            self._place.await_fit()
            images, done = self._place.find_start(self._scenario)
            self._leave_out(done)
            self._take_namespace()
            private, public = make_key()
            pods = [describe_control(images), *(describe_host(host, images, public) for host in self._scenario.hosts)]
            run_together([partial(self._create, pod) for pod in pods])
            self._admit(self._await_pods(has_closed, "begin"))
            self._await_pods(has_begun, "start")
        self._equip_control(private)
        self._await_ssh()

    def _take_namespace(self) -> None:
        api, place = self._api, self._place
        self.namespace = plan_name()
        make_namespace(api, self.namespace, self.namespace, HOSTS, annotate(self._ground, self._scenario), place.run)
        api.create(f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/networkpolicies", describe_policy())
        await_account(api, self.namespace)
        self._guard = Guard(PodLookout(api, self.namespace, ClusterWitness(api, place.run)))

    def _create(self, pod: Object) -> None:
        self._api.create(self._root, pod)

    def _await_pods(self, is_so: Callable[[Object], bool], what: str) -> list[Object]:
        """All pods, once something is so with each.

        Raises:
            EngineTrouble, ImageTrouble: it is not, within the time for it.
        """
        deadline = time.monotonic() + START_WITHIN
        while True:
            pods: list[Object] = self._api.get(self._root)["items"]
            if len(pods) == len(self._names) and all(map(is_so, pods)):
                return pods
            for pod in pods:
                refuse_broken(pod)
            if time.monotonic() > deadline:
                raise EngineTrouble(
                    f"the pods do not {what} within {START_WITHIN:g} s: {describe_waiting(pods)}",
                    hint="has the cluster room for them? Fewer at once: --itbench-capacity",
                    cause="slow start",
                    retries=1,
                    pause=5.0,
                )
            time.sleep(STEP)

    def _admit(self, pods: Sequence[Object]) -> None:
        """Let the pods reach each other, and begin."""
        pairs = [f"{pod['status']['podIP']}={pod['metadata']['name']}" for pod in pods]
        run_together([partial(self._admit_to, pod["metadata"]["name"], pairs) for pod in pods])

    def _admit_to(self, pod: str, pairs: Sequence[str]) -> None:
        command = ["sh", "/opt/itbench/admit.sh", *pairs]
        done = run_in_pod(self._api, self.namespace, pod, CLOSER, command, timeout=ADMIT_WITHIN)
        if done.status != 0:
            raise EngineTrouble(
                f"the network of pod {pod} cannot be opened to the others (status {done.status}): {done.text[-500:]}",
                cause="network",
                retries=1,
            )

    # --- what `HostsEnvironment` asks for ----------------------------------------------------------------------

    def find_container(self, host: str) -> str:
        """The pod of a host."""
        return host

    def _open_link(self, container: str, command: Sequence[str]) -> Link:
        return open_link(self._api, self.namespace, container, CONTAINER, [*PLAIN, *command])

    def _put(self, container: str, members: Sequence[Member]) -> None:
        for member in members:
            script, content = describe_writing(member.path, member.content, member.mode)
            # On a host by the tools that nobody there can have replaced.
            command = ["sh", "-c", script if container == CONTROL else f"PATH={PATH}; {script}"]
            as_whom = AS_OPS if member.uid else ()
            done = run_in_pod(
                self._api,
                self.namespace,
                container,
                CONTAINER,
                [*PLAIN, *as_whom, *command],
                timeout=WRITE_WITHIN,
                content=content,
            )
            if done.status != 0:
                raise EngineTrouble(
                    f"writing {member.path} in pod {container} failed (status {done.status}): {done.text[-500:]}",
                    retries=1,
                )

    def _run(self, container: str, command: Sequence[str], timeout: float) -> Ran:
        return run_in_pod(self._api, self.namespace, container, CONTAINER, [*PLAIN, *command], timeout=timeout)

    def _run_as_ops(
        self, container: str, command: Sequence[str], timeout: float, environment: Mapping[str, str]
    ) -> Ran:
        variables = [f"{name}={value}" for name, value in {"HOME": "/home/ops", **environment}.items()]
        return self._run(container, [*AS_OPS, "env", "-C", WORK, *variables, *command], timeout)

    # --- the end -----------------------------------------------------------------------------------------------

    def end_candidate(self) -> None:
        """Remove the control machine's pod, and wait until nothing of it runs."""
        path = f"{self._root}/{CONTROL}"
        with told("ending the control machine"):
            self._api.delete(path, body=dict(ENDED))
            deadline = time.monotonic() + GONE_WITHIN
            while self._api.find(path) is not None:
                if time.monotonic() > deadline:
                    raise EngineTrouble(
                        f"the candidate's pod is not gone within {GONE_WITHIN:g} s",
                        hint="does its node answer? kubectl get nodes",
                        cause="slow end",
                        retries=1,
                    )
                time.sleep(STEP)

    def read_logs(self) -> dict[str, str]:
        """The last lines of each machine's log, and what the cluster says of them."""
        if not self._guard:
            return {}
        logs = {name: self.guard.read_log(name) for name in sorted(self._names)}
        return {**collect_evidence(self._api, {HOSTS: self.namespace}), **logs}

    def keep(self) -> str:
        """Leave the namespace, out of reach of every sweep; gives the command to enter the first host."""
        with told("keeping the namespace"):
            command = keep_namespaces(self._place, [self.namespace], self.namespace)
        self._close_shells()
        self.namespace, self._guard = "", None
        return f"{command} exec --stdin --tty {self._scenario.hosts[0].name} -- bash"

    def stop(self) -> None:
        """Have the namespace removed in the background."""
        self._close_shells()
        namespace, self.namespace, self._guard = self.namespace, "", None
        if namespace:
            with suppress(AttemptInvalid, Refused):
                self._place.release((namespace,), namespace)


def has_closed(pod: Object) -> bool:
    """Whether a pod has its address, and what closes its network runs there."""
    states = _find_states(pod, "initContainerStatuses")
    return bool(pod["status"].get("podIP")) and "running" in states.get(CLOSER, {})


def has_begun(pod: Object) -> bool:
    """Whether its machine runs, or did."""
    state = _find_states(pod, "containerStatuses").get(CONTAINER, {})
    return "running" in state or "terminated" in state


def refuse_broken(pod: Object) -> None:
    """See that a pod may still start.

    Raises:
        ImageTrouble: its node does not get an image.
        EngineTrouble: it has failed.
    """
    name, status = pod["metadata"]["name"], pod["status"]
    states = {**_find_states(pod, "initContainerStatuses"), **_find_states(pod, "containerStatuses")}
    for state in states.values():
        waiting = state.get("waiting", {})
        if waiting.get("reason") in NO_IMAGE:
            raise ImageTrouble(
                f"pod {name}: {waiting['reason']}: {waiting.get('message', '')}",
                hint="how do images get to the cluster's nodes? --itbench-registry; pytest-itbench doctor",
                cause="image",
                retries=1,
            )
    ended = states.get(CLOSER, {}).get("terminated") or {}
    if ended.get("exitCode") or (status.get("phase") == "Failed" and CONTAINER not in states):
        why = ended.get("message") or status.get("message") or f"status {ended.get('exitCode')}"
        raise EngineTrouble(f"pod {name} cannot begin: {ended.get('reason', '')} {why}", cause="network", retries=1)


def _find_states(pod: Object, which: str) -> dict[str, Object]:
    return {each["name"]: each.get("state", {}) for each in pod["status"].get(which, ())}
