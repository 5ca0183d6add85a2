"""Kyverno's command line: where it is had from, what it is given, and what its reports say."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from docker.errors import DockerException, ImageNotFound

from pytest_itbench.domain.scenario import CandidateKind
from pytest_itbench.environments.docker import kyverno as container
from pytest_itbench.environments.docker.kyverno import find_missing_image
from pytest_itbench.errors import EngineTrouble, ValidatorBroken
from pytest_itbench.validation import kyverno
from pytest_itbench.validation.handed import HandedIn
from pytest_itbench.validation.kyverno import find_kyverno, find_verdict, judge_by_kyverno, read_reports

POLICY = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata:\n  name: owners\nspec:\n  rules: []\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\nspec:\n  containers: []\n"

REPORT = """apiVersion: wgpolicyk8s.io/v1alpha2
kind: ClusterPolicyReport
metadata:
  creationTimestamp: null
  name: merged
results:
- message: |-
    validation error: an owner is needed.

    rule has-owner failed at path /metadata/labels/owner/
  policy: owners
  resources:
  - apiVersion: v1
    kind: Pod
    name: bad
    namespace: default
  result: fail
  rule: has-owner
  scored: true
  source: kyverno
  timestamp:
    nanos: 0
    seconds: 1739433600
- message: validation rule 'has-owner' passed.
  policy: owners
  resources:
  - apiVersion: v1
    kind: Pod
    name: good
    namespace: default
  result: pass
  rule: has-owner
  scored: true
  source: kyverno
- policy: owners
  resources:
  - apiVersion: v1
    kind: Pod
    name: good
    namespace: default
  result: skip
  rule: other
  scored: true
summary:
  error: 0
  fail: 1
  pass: 1
  skip: 1
  warn: 0
"""
NAMESPACED = """---
apiVersion: wgpolicyk8s.io/v1alpha2
kind: PolicyReport
metadata:
  name: mine
  namespace: shop
results:
- policy: mine
  resources:
  - {apiVersion: v1, kind: Pod, name: good, namespace: shop}
  result: error
  rule: broken
summary: {error: 1}
"""
RULE = "-" * 70
OLDER = f"\nApplying 1 policy rule(s) to 2 resource(s)...\n{RULE}\nPOLICY REPORT:\n{RULE}\n{REPORT}\n"
OPEN = REPORT.replace("wgpolicyk8s.io/v1alpha2", "openreports.io/v1alpha1").replace(
    "ClusterPolicyReport", "ClusterReport"
)
SKIPPED = f"{RULE}\nPolicies Skipped (as required variables are not provided by the user):\n1. owners\n{RULE}\n"

Fake = Callable[..., Path]


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look for the program anew in each test, with none on PATH and none named."""
    monkeypatch.delenv(kyverno.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setattr(container, "find_missing_image", lambda: "the container engine has no image")
    find_kyverno.cache_clear()
    yield
    find_kyverno.cache_clear()


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Make a program that stands in for the CLI: it prints, notes what it was given, and ends."""

    def make(output: str, status: int = 0, extra: str = "") -> Path:
        (tmp_path / "output").write_text(output)
        program = tmp_path / "kyverno"
        note = f'echo "$@" >{tmp_path}/arguments; cat policy.yaml resources.yaml >{tmp_path}/files; env >{tmp_path}/env'
        program.write_text(f"#!/bin/sh\n{note}\n{extra}\ncat {tmp_path}/output\nexit {status}\n")
        program.chmod(0o755)
        monkeypatch.setenv(kyverno.VARIABLE, str(program))
        return tmp_path

    return make


@pytest.mark.parametrize("output", [REPORT, OLDER, OPEN, f"{REPORT}\n", f"Warning: x\n{REPORT}\nError: exit as …\n"])
def test_reports_are_read_whatever_stands_around_them(output: str) -> None:
    """As the versions of the program print them."""
    (report,) = read_reports(output)
    assert [result["result"] for result in report["results"]] == ["fail", "pass", "skip"]
    assert report["summary"]["fail"] == 1


def test_reports_of_namespaced_policies_follow() -> None:
    """One document each."""
    assert [report["kind"] for report in read_reports(f"{REPORT}\n{NAMESPACED}")] == [
        "ClusterPolicyReport",
        "PolicyReport",
    ]


def test_results_by_resource(fake: Fake) -> None:
    """A violation ends the program with 1, which is no failure of its own; resources without results have none."""
    place = fake(f"{REPORT}\n{NAMESPACED}Error: exit as there are policy violations\n", status=1)
    found = judge_by_kyverno(POLICY, [POD.format("bad"), POD.format("good"), POD.format("odd")])
    assert found == {"Pod/bad": {"fail"}, "Pod/good": {"pass", "skip", "error"}, "Pod/odd": set()}
    arguments = (place / "arguments").read_text().split()
    assert arguments[:4] == ["apply", "policy.yaml", "--resource", "resources.yaml"]
    assert (place / "files").read_text().count("kind: Pod") == 3


def test_the_program_gets_no_secrets(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is its own."""
    monkeypatch.setenv("SOME_API_KEY", "hush")
    place = fake(REPORT)
    judge_by_kyverno(POLICY, [POD.format("good")])
    assert "hush" not in (place / "env").read_text()


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        (set(), "skip"),
        ({"skip"}, "skip"),
        ({"pass", "skip"}, "pass"),
        ({"pass", "fail"}, "fail"),
        ({"warn"}, "fail"),
        ({"fail", "error"}, "error"),
    ],
)
def test_verdicts(results: set[str], verdict: str) -> None:
    """The worst of the results counts."""
    assert find_verdict(results) == verdict


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (SKIPPED + "Error: exit as there are policy errors\n", "Kyverno does not take policy.yaml: Policies Skipped"),
        (
            "Error: failed to load policies (yaml: line 3)\n",
            "does not take policy.yaml: Error: failed to load policies",
        ),
        ("", "ended with status 1 and no report: it said nothing"),
        ("panic: runtime error\n", "ended with status 1 and no report: panic: runtime error"),
    ],
)
def test_a_policy_that_is_not_taken(fake: Fake, output: str, message: str) -> None:
    """The check fails with the program's own words."""
    fake(output, status=1)
    with pytest.raises(AssertionError) as raised:
        judge_by_kyverno(POLICY, [POD.format("good")])
    assert message in str(raised.value)


def test_a_policy_that_does_not_end(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is given up."""
    monkeypatch.setattr(kyverno, "PATIENCE", 0.3)
    fake(REPORT, extra="exec sleep 20")
    with pytest.raises(AssertionError, match="did not come to a result within"):
        judge_by_kyverno(POLICY, [POD.format("good")])


def test_output_is_bounded(fake: Fake) -> None:
    """What goes beyond a mebibyte is not written."""
    fake("", extra="exec yes")
    with pytest.raises(AssertionError, match="no report"):
        judge_by_kyverno(POLICY, [POD.format("good")])


def test_a_candidate_is_asked_about_a_file(fake: Fake, tmp_path: Path) -> None:
    """As checks do it."""
    fake(REPORT.replace("name: bad", "name: good"), status=1)
    resource = tmp_path / "resource.yaml"
    resource.write_text(POD.format("good"))
    assert HandedIn(CandidateKind.POLICY, POLICY).apply_kyverno(resource) == "fail"
    with pytest.raises(AssertionError, match="nothing was handed in yet"):
        HandedIn(CandidateKind.POLICY, None).apply_kyverno(resource)


def test_nothing_to_be_had() -> None:
    """One is told why, and what to do; nothing is pulled."""
    missing = kyverno.explain_missing_kyverno()
    assert "no kyverno on PATH, and the container engine has no image" in missing
    assert kyverno.VARIABLE in missing
    with pytest.raises(ValidatorBroken) as raised:
        judge_by_kyverno(POLICY, [])
    assert raised.value.hint == missing


def test_a_wrong_program_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who names one means that one."""
    monkeypatch.setenv(kyverno.VARIABLE, "/nowhere/kyverno")
    assert (
        kyverno.explain_missing_kyverno()
        == f"{kyverno.VARIABLE} names '/nowhere/kyverno', which is no program that can be run"
    )


def test_a_program_on_the_path(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is taken before a container."""
    place = fake(REPORT)
    monkeypatch.delenv(kyverno.VARIABLE)
    monkeypatch.setenv("PATH", str(place), prepend=os.pathsep)
    assert find_kyverno().program == str(place / "kyverno")


def test_the_image_is_pulled_only_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable."""
    there: list[str] = []

    def pull() -> str:
        there.append("pulled")
        return ""

    monkeypatch.setattr(container, "pull_image", pull)
    monkeypatch.setattr(container, "find_missing_image", lambda: "no image")
    assert find_kyverno().missing
    find_kyverno.cache_clear()
    assert there == []
    monkeypatch.setenv(kyverno.VARIABLE, kyverno.PULL)
    assert find_kyverno() == kyverno.Kyverno()
    assert there == ["pulled"]


def test_without_a_program_a_container_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same files and arguments."""
    asked: list[Any] = []

    def run(*arguments: Any) -> tuple[int, str]:
        asked.extend(arguments)
        return 1, REPORT

    monkeypatch.setattr(container, "find_missing_image", lambda: "")
    monkeypatch.setattr(container, "run_kyverno", run)
    assert judge_by_kyverno(POLICY, [POD.format("bad")])["Pod/bad"] == {"fail"}
    assert asked == [kyverno.COMMAND, {"policy.yaml": POLICY, "resources.yaml": POD.format("bad")}, kyverno.PATIENCE]


class FakeContainer:
    """A container of the engine below."""

    def __init__(self, waits: list[Any]) -> None:
        self.waits, self.done = waits, list[Any]()

    def put_archive(self, path: str, content: bytes) -> None:
        """Note it."""
        self.done.append((path, b"policy.yaml" in content))

    def start(self) -> None:
        """Note it."""
        self.done.append("start")

    def wait(self, timeout: float) -> dict[str, int]:
        """What was planned."""
        assert timeout > 0
        if isinstance(self.waits[0], Exception):
            raise self.waits.pop(0)
        return {"StatusCode": self.waits.pop(0)}

    def kill(self) -> None:
        """Note it."""
        self.done.append("kill")

    def logs(self, **options: Any) -> Iterator[bytes]:
        """Without an end."""
        assert options["stream"]
        while True:
            yield b"x" * 65536

    def remove(self, **options: Any) -> None:
        """Note it."""
        self.done.append(("remove", options))


class FakeEngine:
    """An engine with at most one image."""

    def __init__(self, problem: Exception | None, waits: list[Any]) -> None:
        self.problem, self.container, self.options = problem, FakeContainer(waits), dict[str, Any]()
        self.images = self.containers = self

    def get(self, image: str) -> None:
        """The image, or the problem."""
        assert image == container.IMAGE
        if self.problem:
            raise self.problem

    pull = get

    def create(self, image: str, command: list[str], **options: Any) -> FakeContainer:
        """A container, unless there is a problem."""
        self.get(image)
        self.options = {**options, "command": command}
        return self.container

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def make_engine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeEngine]:
    """Put an engine in place of Docker's."""

    def make(problem: Exception | None = None, waits: tuple[Any, ...] = (0,)) -> FakeEngine:
        engine = FakeEngine(problem, list(waits))
        monkeypatch.setattr(docker, "from_env", lambda **_options: engine)
        return engine

    return make


@pytest.mark.parametrize(
    ("problem", "missing"),
    [
        (None, ""),
        (ImageNotFound("no"), f"the container engine has no image {container.IMAGE}"),
        (DockerException("no"), "no container engine answers"),
        (requests.ConnectionError("no"), "no container engine answers"),
    ],
)
def test_looking_for_the_image(make_engine: Callable[..., FakeEngine], problem: Exception, missing: str) -> None:
    """Only in the engine."""
    make_engine(problem)
    assert find_missing_image() == missing


def test_a_container_may_do_nothing(make_engine: Callable[..., FakeEngine]) -> None:
    """It has no network, no rights, little of everything, and is removed with its volume."""
    engine = make_engine()
    status, output = container.run_kyverno(["apply"], {"policy.yaml": POLICY}, 5.0)
    assert (status, len(output)) == (0, container.LARGEST_OUTPUT)
    options = engine.options
    assert options["network_mode"] == "none"
    assert options["read_only"] is True
    assert options["cap_drop"] == ["ALL"]
    assert options["mem_limit"] == options["memswap_limit"] == 1024**3
    assert {"pids_limit", "nano_cpus", "security_opt"} <= set(options)
    assert engine.container.done == [("/judged", True), "start", ("remove", {"force": True, "v": True})]


def test_a_container_that_does_not_end(make_engine: Callable[..., FakeEngine]) -> None:
    """Is killed, and removed."""
    engine = make_engine(waits=(requests.ReadTimeout(),))
    assert container.run_kyverno(["apply"], {"policy.yaml": POLICY}, 0.1)[0] == kyverno.TIMED_OUT
    assert "kill" in engine.container.done
    assert engine.container.done[-1] == ("remove", {"force": True, "v": True})


def test_trouble_with_the_engine(make_engine: Callable[..., FakeEngine]) -> None:
    """Is not the candidate's fault."""
    make_engine(DockerException("gone"))
    with pytest.raises(EngineTrouble, match="gone"):
        container.run_kyverno(["apply"], {}, 5.0)
    assert container.pull_image() == f"{container.IMAGE} cannot be pulled: gone"
