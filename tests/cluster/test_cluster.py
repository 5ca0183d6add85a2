"""The provider ``kubernetes`` against a real cluster: leases, rights, candidates, what checks see, what is left."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_itbench.environments.base import Environment
from pytest_itbench.environments.kubernetes.api import Api
from pytest_itbench.environments.kubernetes.lease import GRACELESS, LABEL, LEASE, OWNER
from pytest_itbench.environments.kubernetes.provider import KubernetesProvider
from pytest_itbench.environments.kubernetes.view import ClusterView
from pytest_itbench.errors import EngineTrouble, NotReady
from pytest_itbench.owner import describe_owner
from pytest_itbench.testing.cluster_conformance import CLUSTER, GREEN, ClusterConformance, look
from pytest_itbench.testing.conformance import make_ground
from tests.cluster.conftest import Start, Write, find_namespaces, make_provider


class TestConformance(ClusterConformance):
    """What every provider must do."""

    @pytest.fixture
    def provider(self) -> KubernetesProvider:
        """The one under test."""
        return make_provider()


def run(environment: Environment, *lines: str) -> tuple[int | None, str]:
    """Apply a script; gives its status and what it printed."""
    done = environment.apply("\n".join(("#!/bin/bash", *lines)))
    return done.status, done.output


def test_a_candidate_works_with_its_rights_alone(start: Start, api: Api) -> None:
    """It begins in the first namespace, may look at the second, and knows nothing of any other."""
    environment = start()
    lease = environment.held.lease
    view = look(environment)
    assert view.find_changes() == []
    status, output = run(
        environment,
        "kubectl config view --minify -o jsonpath={..namespace}; echo",
        "echo $NAMESPACE_WORK $NAMESPACE_WATCH",
        "kubectl get deployment idle -o name",
        'kubectl get --namespace "$NAMESPACE_WATCH" pods -o name; echo view $?',
        'kubectl create --namespace "$NAMESPACE_WATCH" configmap x; echo make $?',
        f"kubectl get --namespace {lease.control} secrets; echo control $?",
        "kubectl get nodes; echo nodes $?",
        "kubectl get namespaces; echo namespaces $?",
        "kubectl get pods --all-namespaces; echo all $?",
        "kubectl create clusterrolebinding x --clusterrole=cluster-admin --user=x; echo admin $?",
        "kubectl create rolebinding x --clusterrole=cluster-admin --user=x; echo escalate $?",
        "kubectl create rolebinding x --clusterrole=admin --user=x; echo widen $?",
        "kubectl auth can-i create endpoints --quiet; echo endpoints $?",
        "kubectl auth can-i get services --subresource=proxy --quiet; echo proxy $?",
        "id -u; ls /var/run/secrets/kubernetes.io 2>/dev/null; env | grep -c MARK",
    )
    lines = output.splitlines()
    assert lines[:3] == [
        lease.namespaces["work"],
        f"{lease.namespaces['work']} {lease.namespaces['watch']}",
        "deployment.apps/idle",
    ]
    told = dict(line.split() for line in lines if len(line.split()) == 2 and line.split()[1].isdigit())
    assert told.pop("view") == "0"
    assert told == dict.fromkeys(
        ("make", "control", "nodes", "namespaces", "all", "admin", "escalate", "widen", "endpoints", "proxy"), "1"
    )
    assert lines[-2:] == ["1000", "0"]
    assert status == 1


@pytest.mark.parametrize(
    "reach",
    [
        "exec 3<>/dev/tcp/1.1.1.1/80",
        "getent hosts kubernetes.default.svc.cluster.local",
        'exec 3<>/dev/tcp/$(kubectl get pod -o "jsonpath={.items[0].status.podIP}")/80',
        'exec 3<>/dev/tcp/$(kubectl config view -o "jsonpath={.clusters[0].cluster.server}" | cut -d/ -f3)/80',
        "curl --silent --max-time 3 http://169.254.169.254/",
        "iptables -F OUTPUT",
    ],
    ids=["outside", "names", "pods", "machine", "metadata", "wall"],
)
def test_a_candidate_reaches_the_api_alone(start: Start, reach: str) -> None:
    """Nothing else answers, whatever the cluster does with network policies, and the wall cannot be taken down."""
    status, output = run(
        start(), f"timeout 5 bash -c '{reach}' && echo REACHED", "kubectl version >/dev/null && echo api"
    )
    assert "REACHED" not in output
    assert "api" in output.splitlines()
    assert status == 0


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("hostNetwork: true", "hostNetwork"),
        ("hostPID: true", "hostPID"),
        ("volumes: [{name: v, hostPath: {path: /}}]", "hostPath"),
        ("containers: [{name: c, image: x, securityContext: {privileged: true}}]", "privileged"),
        ("containers: [{name: c, image: x, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]", "SYS_ADMIN"),
        ("initContainers: [{name: i, image: x, ports: [{containerPort: 1, hostPort: 1}]}]", "hostPort"),
    ],
)
def test_pods_stay_in_their_containers(start: Start, spec: str, problem: str) -> None:
    """A candidate that may make pods cannot make one that leaves its container, nor a deployment of such pods."""
    if "containers: [" not in spec.replace("initContainers", ""):
        spec += "\n  containers: [{name: c, image: x}]"
    pod = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: bad}}\nspec:\n  {spec}\n"
    environment = start(kind="manifests", solution=pod)
    done = environment.apply(pod)
    assert done.status == 1
    assert f"pytest-itbench: {problem}" in done.output or problem in done.output
    assert look(environment).find_changes() == []


@pytest.mark.parametrize("spec", ["externalIPs: [10.96.0.1]", "type: NodePort", "type: LoadBalancer"])
def test_services_take_no_foreign_traffic(start: Start, spec: str) -> None:
    """A candidate cannot have the cluster send it what is meant for others."""
    service = f"apiVersion: v1\nkind: Service\nmetadata: {{name: bad}}\nspec:\n  ports: [{{port: 443}}]\n  {spec}\n"
    environment = start(kind="manifests", solution=service)
    done = environment.apply(service)
    assert (done.status, "pytest-itbench:" in done.output) == (1, True), done.output
    assert look(environment).find_changes() == []


def test_nothing_is_left(write: Write, api: Api) -> None:
    """A closed provider leaves no namespace, no right, no webhook; a sweep takes its owner's alone."""
    owner = "somebody/0/0"
    provider = make_provider(owner)
    provider.find_places()
    kept, swept = (provider.create(write(), make_ground(owner=name), "") for name in (owner, "other/0/0"))
    for environment in (kept, swept):
        environment.start()
    found = api.get("/api/v1/namespaces", labelSelector=LABEL)["items"]
    ours = {
        each["metadata"]["labels"][LEASE]
        for each in found
        if each["metadata"]["annotations"][OWNER] in (owner, "other/0/0")
    }
    assert len(provider.sweep("other/0/0")) == 3
    assert provider.sweep("other/0/0") == []
    kept.prepare()
    kept.stop()
    provider.close()
    assert find_namespaces(api, owner) == []
    hooks = api.get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations")["items"]
    rights = api.get("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings")["items"]
    assert [each for each in (*hooks, *rights) if each["metadata"].get("labels", {}).get(LEASE) in ours] == []


@pytest.mark.alone
def test_the_whole_cluster_is_put_back(start: Start, api: Api) -> None:
    """What an exclusive scenario broke, and what its candidate left of the whole cluster, is undone when it stops."""
    cluster = CLUSTER + (
        "  exclusive: true\n"
        "  rights: [{resources: [nodes], verbs: [get, list, patch]}]\n"
        "  faults: [{kind: cordoned-node, restart: [idle]}]\n"
    )
    environment = start(cluster=cluster)
    node = api.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
    assert api.get(f"/api/v1/nodes/{node}")["spec"]["unschedulable"]
    status, _ = run(environment, f"kubectl label node {node} colour=green", f"kubectl describe node {node} | tail -1")
    assert status == 0
    found = look(environment).find_changes_of_cluster(f"Node/{node}: spec.*")
    assert found == [f"Node/{node}: metadata.labels.colour"]
    environment.stop()
    after = api.get(f"/api/v1/nodes/{node}")
    assert not after["spec"].get("unschedulable")
    assert "colour" not in after["metadata"]["labels"]


@pytest.mark.alone
def test_the_whole_cluster_is_put_back_after_a_kill(write: Write, api: Api) -> None:
    """Whoever sweeps what a killed run left undoes what it did to the whole cluster, too."""
    cluster = CLUSTER + "  exclusive: true\n  faults: [{kind: cordoned-node, restart: [idle]}]\n"
    provider = make_provider("killed/0/0")
    provider.find_places()
    environment = provider.create(write(cluster=cluster), make_ground(owner="killed/0/0"), "")
    environment.start()
    environment.prepare()
    nodes = [node["spec"].get("unschedulable") for node in api.get("/api/v1/nodes")["items"]]
    assert nodes == [True]
    provider.sweep("killed/0/0")
    assert [node["spec"].get("unschedulable") for node in api.get("/api/v1/nodes")["items"]] == [None]
    provider.close()


@pytest.mark.alone
def test_a_retired_cluster_is_not_used(start: Start, provider: KubernetesProvider, write: Write, api: Api) -> None:
    """A cluster that could not be put back says so to the next attempt."""
    start()
    mark = {"metadata": {"annotations": {f"{LABEL}/dirty": "ClusterRole/x: made"}}}
    api.patch("/api/v1/namespaces/kube-system", mark)
    try:
        with pytest.raises(EngineTrouble, match="was retired: ClusterRole/x"):
            provider.create(write(), make_ground(), "").start()
    finally:
        api.patch("/api/v1/namespaces/kube-system", {"metadata": {"annotations": {f"{LABEL}/dirty": None}}})


def test_checks_wait_for_what_the_cluster_still_does(start: Start) -> None:
    """A candidate need not wait for its rollouts; one that leaves nothing to roll out is told."""
    environment = start()
    assert run(environment, "kubectl set env deployment/idle COLOUR=red")[0] == 0
    look(environment).assert_rolled_out("idle")
    assert run(environment, "kubectl scale deployment idle --replicas=0")[0] == 0
    with pytest.raises(AssertionError, match="idle: it wants no replica"):
        look(environment).assert_rolled_out("idle", within=3)


FAULTS: list[tuple[str, Callable[[ClusterView], bool]]] = [
    ("{kind: scaled-to-zero, deployment: idle}", lambda view: view.get("Deployment", "idle")["spec"]["replicas"] == 0),
    ("{kind: missing-image, deployment: idle, image: 'no/such:1'}", lambda view: "no/such" in describe(view)),
    ("{kind: wrong-command, deployment: idle, command: ['false']}", lambda view: "'false'" in describe(view)),
    ("{kind: excessive-requests, deployment: idle, cpu: '900'}", lambda view: "'900'" in describe(view)),
    ("{kind: impossible-node, deployment: idle, labels: {a: b}}", lambda view: "nodeSelector" in describe(view)),
    ("{kind: missing-volume-claim, deployment: idle, claim: gone}", lambda view: "gone" in describe(view)),
    ("{kind: repelled-replicas, deployment: idle, replicas: 3}", lambda view: "podAntiAffinity" in describe(view)),
    ("{kind: wrong-dns-policy, deployment: idle}", lambda view: "'Default'" in describe(view)),
    (
        "{kind: exhausted-quota, hard: {pods: '0'}, restart: [idle]}",
        lambda view: view.find("ResourceQuota", "team-quota") is not None,
    ),
    (
        "{kind: wrong-configuration, configmap: settings, key: colour, value: blue}",
        lambda view: view.get("ConfigMap", "settings")["data"]["colour"] == "blue",
    ),
]


def describe(view: ClusterView) -> str:
    """The pods that the deployment wants, as text."""
    return str(view.get("Deployment", "idle")["spec"]["template"]["spec"])


def test_faults_take_hold(start: Start, provider: KubernetesProvider) -> None:
    """Each fault is seen in the cluster once the environment is ready, and belongs to what is not the candidate's."""
    for fault, shows in FAULTS:
        environment = start(cluster=CLUSTER + f"  faults: [{fault}]\n")
        view = look(environment)
        assert shows(view), fault
        assert view.find_changes() == [], fault
        environment.stop()


def test_a_fault_that_does_not_take_hold_is_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempt is invalid, with the fault's name and what it was given."""
    monkeypatch.setattr("pytest_itbench.environments.kubernetes.faults.TAKES_HOLD_WITHIN", 1.0)
    with pytest.raises(NotReady, match="deployment idle has no initContainers"):
        start(cluster=CLUSTER + "  faults: [{kind: crashing-init-container, deployment: idle}]\n")
    with pytest.raises(NotReady, match=r"fault scaled-to-zero .*nobody.* cannot be made"):
        start(cluster=CLUSTER + "  faults: [{kind: scaled-to-zero, deployment: nobody}]\n")


@pytest.mark.parametrize(("victim", "said"), [("candidate", "pod is gone"), ("guard", "guard of the run's pods")])
def test_what_others_do_to_it_is_no_miss(start: Start, api: Api, victim: str, said: str) -> None:
    """A candidate whose pod somebody removes, or whose run loses its guard, is not to blame."""
    environment = start()
    names = [environment.held.lease.control] if victim == "candidate" else find_namespaces(api, describe_owner())

    def remove() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            pods = [pod for name in names for pod in api.get(f"/api/v1/namespaces/{name}/pods")["items"]]
            chosen = [each["metadata"] for each in pods if each["metadata"]["name"].startswith(victim)]
            if chosen and all(pod["status"]["phase"] == "Running" for pod in pods):
                api.delete(f"/api/v1/namespaces/{chosen[0]['namespace']}/pods/{chosen[0]['name']}", body=GRACELESS)
                return
            time.sleep(0.2)

    def attempt() -> None:
        with ThreadPoolExecutor() as pool:
            pool.submit(remove)
            run(environment, "sleep 12")
            environment.end_candidate()
            environment.refuse_disturbance()

    with pytest.raises(EngineTrouble, match=said):
        attempt()


def test_a_run_from_end_to_end(write: Write, tmp_path: Path) -> None:
    """Models are tried, proofs hold, evidence lies beside the outcome, and nothing stays behind."""
    write()
    ran = run_pytest(tmp_path, "colour", "--itbench-model=oracle", "--itbench-model=noop", "--itbench-run=r", "-n2")
    assert "1 failed, 1 passed" in ran.stdout, ran.stdout
    place = tmp_path / "reports" / "r" / "attempts" / "colour"
    assert "idle running" in (place / "noop-0" / "work-pods.log").read_text()
    assert (place / "oracle-0" / "candidate.sh").read_text() == GREEN


def run_pytest(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of its own."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)


def test_a_killed_run_is_swept(write: Write, tmp_path: Path, api: Api) -> None:
    """After kill -9 in the middle of an attempt the next run removes the namespaces, the guard and its webhook."""
    write(solution="#!/bin/bash\nsleep 100\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "colour", "--itbench-model=oracle"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while len(find_leases(api, process.pid)) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.kill()
    process.wait()
    assert len(find_leases(api, process.pid)) >= 4
    reap = [str(Path(sys.executable).with_name("pytest-itbench")), "reap"]
    done = subprocess.run(reap, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" things of runs that are no more\n")
    assert find_leases(api, process.pid) == [], done.stdout


def find_leases(api: Api, pid: int) -> list[str]:
    """The namespaces of a process."""
    found = api.get("/api/v1/namespaces", labelSelector=LABEL)["items"]
    return [each["metadata"]["name"] for each in found if f"/{pid}/" in each["metadata"]["annotations"][OWNER]]
