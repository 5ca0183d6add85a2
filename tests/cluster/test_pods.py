"""The provider ``kubernetes`` with container scenarios: hosts as pods of a real cluster."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.docker.blame import Sign
from pytest_itbench.environments.kubernetes.api import Api, Object
from pytest_itbench.environments.kubernetes.exec import read_status, run_in_pod
from pytest_itbench.environments.kubernetes.lookout import read_condition
from pytest_itbench.environments.kubernetes.machines import CONTAINER, refuse_unfit
from pytest_itbench.environments.kubernetes.pods import PodsEnvironment
from pytest_itbench.environments.kubernetes.provider import KubernetesProvider
from pytest_itbench.errors import HostStopped, NotReady, OverLimit
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.owner import describe_owner
from pytest_itbench.testing.conformance import EnvironmentConformance, make_ground
from tests.cluster.conftest import find_namespaces, make_provider

StartPods = Callable[..., PodsEnvironment]
WritePods = Callable[..., Scenario]


class TestPodsConformance(EnvironmentConformance):
    """What every provider must do."""

    @pytest.fixture
    def provider(self) -> KubernetesProvider:
        """The one under test."""
        return make_provider()


@pytest.fixture
def write_pods(make_scenario: Callable[..., Path]) -> WritePods:
    """Writes a scenario with one host and extra keys and files, and loads it."""

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
def start_pods(provider: KubernetesProvider, write_pods: WritePods) -> Iterator[StartPods]:
    """Starts an environment of a scenario that is written on the spot."""
    started: list[PodsEnvironment] = []
    provider.find_places()

    def start(*arguments: Any, **given: Any) -> PodsEnvironment:
        environment = provider.create(write_pods(*arguments, **given), make_ground(), "")
        assert isinstance(environment, PodsEnvironment)
        started.append(environment)
        environment.start()
        environment.prepare()
        return environment

    yield start
    for environment in started:
        environment.stop()


def play(environment: PodsEnvironment, tasks: str) -> Application:
    """Apply a play of one-line tasks."""
    lines = "\n".join(f"    - {task.strip()}" for task in tasks.strip().splitlines())
    return environment.apply(f"- hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n{lines}\n")


def test_pods_have_no_way_out(start_pods: StartPods, provider: KubernetesProvider, api: Api) -> None:
    """Hosts and control machine reach each other alone, are not reached, and know nothing of the cluster."""
    environment = start_pods()
    guard = next(
        pod
        for name in find_namespaces(api, describe_owner())
        for pod in api.get(f"/api/v1/namespaces/{name}/pods", labelSelector="app=guard")["items"]
    )
    access = provider.place.access
    node = api.get(f"/api/v1/nodes/{guard['spec']['nodeName']}")["status"]["addresses"][0]["address"]
    places = {*access.places, f"{guard['status']['podIP']}:8443", "1.1.1.1:53", f"{node}:10250"}
    tries = "; ".join(f"timeout 2 bash -c '</dev/tcp/{place.replace(':', '/')}' && echo {place}" for place in places)
    look = f"{tries}; ls /var/run/secrets/kubernetes.io; env | grep KUBERNETES_; true"
    for machine in ("web", "control"):
        ran = environment._run(machine, ["bash", "-c", f"{look} 2>/dev/null"], 60)
        assert ran.stdout == b"", f"{machine} reaches {ran.stdout!r}"
    reached = environment._run("control", ["bash", "-c", "timeout 2 bash -c '</dev/tcp/web/22' && echo web"], 30)
    assert reached.stdout == b"web\n", reached.text
    address = api.get(f"/api/v1/namespaces/{environment.namespace}/pods/web")["status"]["podIP"]
    place = guard["metadata"]
    inward = ["bash", "-c", f"timeout 2 bash -c '</dev/tcp/{address}/22' 2>/dev/null && echo reached"]
    assert run_in_pod(api, place["namespace"], place["name"], "guard", inward, timeout=30).stdout == b""


def test_commands_reach_pods_unchanged(start_pods: StartPods) -> None:
    """Status, both streams, bytes and quoting arrive unchanged; environment and files are as stated."""
    environment = start_pods(host="{environment: {SITE: 'a $(HOME) b'}, start: ['echo $$ >/run/up']}")
    with environment.connect() as hosts:
        web = hosts["web"]
        ran = web.run("echo out; echo err >&2; exit 7")
        assert (ran.rc, ran.stdout, ran.stderr) == (7, "out\n", "err\n")
        assert web.run("printf '\\000\\377'").stdout_bytes == b"\x00\xff"
        assert web.run("cat").stdout == ""
        assert web.run("echo $SITE").stdout == "a $(HOME) b\n"
        assert web.file("/run/up").content_string.strip().isdigit()
        big = web.run("head -c 6000000 /dev/zero; echo; echo end")
        assert big.stdout.endswith("end\n")
        assert len(big.stdout) < 5_000_000


def test_a_pod_that_the_candidate_stops_is_its_own_doing(start_pods: StartPods) -> None:
    """Stopping a host is told from trouble with the cluster, and the control machine ends with its candidate."""
    environment = start_pods()
    assert environment.guard._lookout.look_into("web", Sign.SILENT, applied=False).evidence.accepts
    play(environment, "ansible.builtin.shell: 'kill 1; sleep 5'")
    environment.end_candidate()
    environment.end_candidate()
    with pytest.raises(HostStopped, match="web stopped with status 143"), environment.connect() as hosts:
        hosts["web"].run("true")


def test_nothing_of_the_candidate_runs_on(start_pods: StartPods) -> None:
    """What it left running on the control machine ends before validators look; it was no more than the user ops."""
    environment = start_pods()
    late = "id -u; nohup sh -c 'sleep 15; ssh -o StrictHostKeyChecking=no web sudo touch /late' >/dev/null 2>&1 &"
    play = (
        f"- hosts: localhost\n  gather_facts: false\n  tasks:\n    - shell: {json.dumps(late)}\n      register: said\n"
    )
    done = environment.apply(play + "    - assert: {that: said.stdout|int == 1000}\n")
    assert done.status == 0, done.output
    environment.end_candidate()
    with environment.connect() as hosts:
        hosts["web"].run("sleep 18")
        assert not hosts["web"].file("/late").exists


def test_a_pod_that_takes_too_much_memory_is_a_miss(start_pods: StartPods) -> None:
    """What the kernel ends at the host's limit is the candidate's doing, and called so."""
    environment = start_pods(host="{limits: {memory: 160m}}")
    # Newer clusters end the host by themselves, others its largest process alone.
    play(environment, "ansible.builtin.shell: 'head -c 400000000 /dev/zero | tail; kill 1; sleep 5'")
    environment.end_candidate()
    with pytest.raises(OverLimit, match="web used more than it may: its memory"), environment.connect() as hosts:
        hosts["web"].run("true")


def test_pods_start_from_a_checkpoint(start_pods: StartPods, api: Api) -> None:
    """A step that leaves files alone is done once, by this machine's engine; a live one in each pod."""
    environment = start_pods(
        "setup: [{script: environment/a.sh}]\ntrigger: [{script: environment/b.sh, live: true}]\n",
        {
            "environment/a.sh": "#!/bin/sh\necho done >>/etc/steps\n",
            "environment/b.sh": "#!/bin/sh\necho live >>/etc/steps\n",
        },
    )
    pod = api.get(f"/api/v1/namespaces/{environment.namespace}/pods/web")
    assert "itbench/checkpoint:" in pod["spec"]["containers"][0]["image"]
    with environment.connect() as hosts:
        assert hosts["web"].file("/etc/steps").content_string == "done\nlive\n"
        assert hosts["web"].run("ls -a / | grep itbench").stdout == ".itbench\n"


def test_pods_are_bounded_and_go(start_pods: StartPods, provider: KubernetesProvider, api: Api) -> None:
    """Limits are the scenario's; what the candidate printed is kept; nothing is left."""
    environment = start_pods(host="{limits: {memory: 128m, cpus: 0.5, disk: 64m}}")
    spec = api.get(f"/api/v1/namespaces/{environment.namespace}/pods/web")["spec"]
    limits = spec["containers"][0]["resources"]["limits"]
    assert (limits["memory"], limits["cpu"]) == (str(128 * 1024**2), "500m")
    with environment.connect() as hosts:
        lines = hosts["web"].run("cat /proc/$(pgrep -o sshd)/limits").stdout.splitlines()
    assert next(line.split()[3] for line in lines if line.startswith("Max file size")) == str(64 * 1024**2)
    done = play(environment, "ansible.builtin.command: printenv KUBERNETES_SERVICE_HOST")
    assert done.status == 2
    assert done.failures
    assert "web" in environment.read_logs()
    namespace = environment.namespace
    environment.stop()
    provider.close()
    assert api.find(f"/api/v1/namespaces/{namespace}") is None


def test_kept_pods_can_be_entered(start_pods: StartPods, provider: KubernetesProvider) -> None:
    """The command enters the first host, and no sweep of the run removes it."""
    environment = start_pods()
    namespace = environment.namespace
    try:
        environment.end_candidate()
        words = environment.keep().split()
        environment.stop()
        provider.sweep(describe_owner())
        assert words[-6:] == ["exec", "--stdin", "--tty", "web", "--", "bash"]
        ran = subprocess.run([*words[:-5], "web", "--", "hostname"], capture_output=True, text=True, check=True)
        assert ran.stdout == "web\n"
    finally:
        provider.place.release((namespace,), namespace)


@pytest.mark.parametrize(
    ("status", "node", "expected"),
    [
        ({}, "True", (True, None, "", "")),
        ({"terminated": {"exitCode": 143, "reason": "Error"}}, "True", (False, 143, "", "")),
        ({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, "True", (False, 137, "its memory", "")),
        ({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}, "True", "the node lost sight"),
        ({"reason": "Evicted", "message": "The node was low on resource: memory."}, "True", "Evicted: The node was"),
        ({"reason": "NodeLost"}, "Unknown", "NodeLost"),
        ({}, "False", "its node is not ready"),
    ],
)
def test_a_pods_end_is_told_from_its_nodes_doing(status: dict[str, Any], node: str, expected: Any) -> None:
    """What the machine did itself, what it used too much of, and what the cluster did."""
    reasons = {key: status[key] for key in ("reason", "message") if key in status}
    state = {"terminated": status["terminated"]} if "terminated" in status else {"running": {}}
    pod: Object = {"metadata": {}, "status": {**reasons, "containerStatuses": [{"name": CONTAINER, "state": state}]}}
    found = read_condition(pod, {"status": {"conditions": [{"type": "Ready", "status": node}]}})
    if isinstance(expected, str):
        assert found.trouble.startswith(expected)
        assert not found.over_limit
    else:
        assert (found.running, found.status, found.over_limit, found.trouble) == expected


def test_a_pod_over_its_disk_is_told_from_a_full_node() -> None:
    """The same word, Evicted, for the candidate's doing and the node's."""
    said = 'Container machine exceeded its local ephemeral storage limit "64Mi". '
    pod = {"metadata": {}, "status": {"phase": "Failed", "reason": "Evicted", "message": said}}
    found = read_condition(pod, None)
    assert found.over_limit.startswith("its disk: Container machine exceeded")
    assert found.trouble == ""


def test_a_commands_end_is_read() -> None:
    """Success, a status, and what could not be run at all."""
    causes = (
        b'{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}'
    )
    assert [read_status(text) for text in (b'{"status":"Success"}', causes, b'{"status":"Failure"}', b"?")] == [
        0,
        7,
        None,
        None,
    ]


@pytest.mark.parametrize("extra", ["network: [{name: example.org, ports: [80]}]\n", ""])
def test_what_pods_cannot_be_is_said(write_pods: WritePods, extra: str) -> None:
    """A way out, and rights by which root could make one, are refused with what to do instead."""
    scenario = write_pods(extra, host="{}" if extra else "{capabilities: [NET_ADMIN]}")
    with pytest.raises(NotReady, match=r"example\.org|NET_ADMIN") as caught:
        refuse_unfit(scenario)
    assert "--itbench-environment=docker" in caught.value.hint
