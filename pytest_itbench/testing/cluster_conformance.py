"""What every provider of clusters must do; subclass it in a test module and give it a provider.

::

    class TestMine(ClusterConformance):
        @pytest.fixture
        def provider(self, tmp_path):
            return MyProvider(make_options(tmp_path, kubeconfig="test-cluster.yaml"))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_itbench.domain.outcome import FailureKind
from pytest_itbench.domain.parts import join_parts
from pytest_itbench.domain.scenario import CandidateKind
from pytest_itbench.environments.base import Environment, EnvironmentProvider
from pytest_itbench.environments.kubernetes.view import ClusterView
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models.controls import NOTHING
from pytest_itbench.owner import describe_owner
from pytest_itbench.testing.conformance import make_ground
from pytest_itbench.validation.failure import classify_failure

STACK = """
images: {idle: image}
manifests: [idle.yaml]
"""
IDLE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: idle}
spec:
  selector: {matchLabels: {app: idle}}
  template:
    metadata: {labels: {app: idle}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: idle
          image: idle
          imagePullPolicy: IfNotPresent
          command: [sh, -c, "echo begun; exec sleep infinity"]
          resources:
            requests: {cpu: 1m, memory: 8Mi}
            limits: {cpu: 100m, memory: 32Mi}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red, other: "@watch@"}
"""
CLUSTER = """
cluster:
  stack: ../stack
  namespaces:
    work: {rights: admin, quota: {pods: "20"}}
    watch: {rights: view}
"""
VALIDATOR = '''
def check_colour_is_green(cluster):
    """As asked."""
    assert cluster.get("ConfigMap", "settings")["data"]["colour"] == "green", "the colour is not green"


def check_nothing_else(cluster):
    """Only that."""
    assert cluster.find_changes("work/ConfigMap/settings: data.colour") == []
'''
GREEN = """#!/bin/bash
kubectl patch configmap settings --patch '{"data": {"colour": "green"}}'
"""
PROMPT = "".join(f"{{% block level_{n} %}}Make it green.{{% endblock %}}" for n in (1, 2, 3))
HEAD = "title: A test\ndomain: sre\ndifficulty: easy\n"

Begin = Callable[..., Environment]


def write_cluster_scenario(place: Path, kind: str = "script", *, cluster: str = CLUSTER, solution: str = GREEN) -> Path:
    """A scenario ``colour`` below `place`, with a stack of one deployment that does nothing; gives its file."""
    parts = {"script": "script.sh", "manifests": "manifests.yaml", "evidence": "script.sh"}
    files = {
        "stack/image/Dockerfile": "ARG BASE=debian:trixie-slim\nFROM ${BASE}\n",
        "stack/stack.yaml": STACK,
        "stack/idle.yaml": IDLE,
        "colour/scenario.yaml": f"{HEAD}candidate: {kind}\n{cluster}",
        "colour/prompt.md.j2": PROMPT,
        "colour/validate.py": VALIDATOR,
        f"colour/solution/{parts[kind]}": solution,
        "colour/solution/policy.rego": NOTHING["policy.rego"],
    }
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place / "colour" / "scenario.yaml"


def look(environment: Environment) -> ClusterView:
    """What checks are given."""
    with environment.connect() as handles:
        view: ClusterView = handles["cluster"]
        return view


class ClusterConformance:
    """Tests of a provider; the subclass gives the fixture ``provider``."""

    @pytest.fixture
    def provider(self) -> EnvironmentProvider:
        """The provider under test."""
        raise NotImplementedError

    @pytest.fixture
    def begin(self, provider: EnvironmentProvider, tmp_path: Path) -> Iterator[Begin]:
        """Makes an environment ready; it is stopped at the end."""
        started: list[Environment] = []
        place = next(iter(provider.find_places()))

        def begin(kind: str = "script", *, more: str = "") -> Environment:
            file = write_cluster_scenario(tmp_path / str(len(started)), kind, cluster=CLUSTER + more)
            environment = provider.create(load_scenario(file), make_ground(), place)
            started.append(environment)
            environment.start()
            environment.prepare()
            return environment

        yield begin
        for environment in started:
            environment.stop()
        provider.sweep(describe_owner())
        provider.close()

    def test_doing_nothing_changes_nothing(self, begin: Begin) -> None:
        """What a cluster writes by itself is no change."""
        environment = begin()
        assert environment.apply(NOTHING["script.sh"]).status == 0
        assert look(environment).find_changes() == []

    def test_what_was_done_is_seen(self, begin: Begin) -> None:
        """Every change is named, but for what is allowed, and changes of rights apart."""
        environment = begin()
        assert environment.apply(GREEN).status == 0
        view = look(environment)
        assert view.find_changes() == ["work/ConfigMap/settings: data.colour"]
        assert view.find_changes("work/ConfigMap/settings: data.*") == []
        assert view.get("ConfigMap", "settings")["data"] == {"colour": "green", "other": view.name("watch")}
        environment.apply(
            "kubectl rollout restart deployment idle; kubectl rollout status deployment idle --timeout=60s\n"
            "kubectl create configmap more; kubectl create role reader --verb=get --resource=pods\n"
            "kubectl set image deployment/idle idle=other:1; kubectl scale deployment idle --replicas=2\n"
        )
        assert view.find_changes("work/ConfigMap/*") == [
            "work/Deployment/idle: spec.replicas",
            "work/Deployment/idle: spec.template.spec.containers[idle].image",
            "work/Role/reader: made",
        ]
        assert view.find_widened_rights() == ["work/Role/reader: made"]

    def test_checks_reach_into_the_cluster(self, begin: Begin) -> None:
        """Commands run in pods, with their status; what is not there says so."""
        view = look(begin())
        assert view.run("idle", "sh", "-c", "echo out; exit 3") == (3, "out\n")
        assert view.run("idle", "sleep", "30", timeout=1)[0] == 124  # noqa: PLR2004  # as timeout(1) says it
        assert view.fetch("idle").status == 404  # noqa: PLR2004  # HTTP's
        assert view.find("Deployment", "nobody") is None
        assert [each["metadata"]["name"] for each in view.find_all("Deployment")] == ["idle"]
        with pytest.raises(AssertionError, match="there is no Deployment nobody"):
            view.get("Deployment", "nobody")
        with pytest.raises(AssertionError, match="nothing was collected"):
            view.collected("work")

    def test_logs_are_evidence(self, begin: Begin) -> None:
        """Pods, events and nodes."""
        evidence = begin().read_logs()
        assert "idle running" in evidence["work-pods"]
        assert "Pod/idle" in evidence["work-events"]
        assert "Ready=True" in evidence["nodes"]

    def test_manifests_are_applied(self, begin: Begin) -> None:
        """What a file of manifests says is there afterwards; what cannot be applied fails with the tool's words."""
        environment = begin("manifests")
        done = environment.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\n")
        assert (done.status, look(environment).find_changes()) == (0, ["work/ConfigMap/made: made"])
        wrong = environment.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: made}\n")
        assert wrong.status == 1
        assert "forbidden" in classify_failure(wrong)[1].lower()

    def test_evidence_is_collected_in_each_namespace(self, begin: Begin) -> None:
        """The script is run once in each namespace that it may see; what it leaves is read, by namespace."""
        environment = begin("evidence")
        script = "kubectl get configmaps -o json | jq '[.items[].metadata.name]' >collected_data.json; echo said"
        parts = {"script.sh": script, "policy.rego": NOTHING["policy.rego"]}
        done = environment.apply(join_parts(CandidateKind.EVIDENCE, parts))
        view = look(environment)
        assert (done.status, done.output.count("said")) == (0, 2)
        assert "settings" in view.collected("work")
        assert "settings" not in view.collected("watch")

    def test_a_candidate_that_does_not_end_is_ended(self, begin: Begin) -> None:
        """At its time limit, with what it left running."""
        environment = begin(more="limits: {candidate: 4}\n")
        begun = time.monotonic()
        done = environment.apply("#!/bin/bash\necho begun\nsleep 300 & sleep 300\n")
        assert done.status is None
        assert classify_failure(done)[0] is FailureKind.TIMEOUT
        assert time.monotonic() - begun < 60  # noqa: PLR2004  # a busy cluster takes its time

    def test_a_second_start_knows_nothing_of_the_first(self, begin: Begin) -> None:
        """What was stopped can begin anew; stopping twice does no harm."""
        environment = begin()
        environment.apply(GREEN)
        first = look(environment).name()
        environment.stop()
        environment.stop()
        environment.start()
        environment.prepare()
        view = look(environment)
        assert view.name() != first
        assert view.get("ConfigMap", "settings")["data"]["colour"] == "red"
