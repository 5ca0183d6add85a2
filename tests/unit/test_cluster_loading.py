"""From the cluster part of a scenario to domain values, or to one clear line for each mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import jsonschema
import pytest
import yaml

from pytest_itbench.domain.scenario import PARTS, CandidateKind, Rule
from pytest_itbench.errors import BrokenScenario
from pytest_itbench.loading.cluster_file import RESERVED
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.loading.scenario_file import build_schema
from pytest_itbench.runs import describe_scenario

HEAD = "title: A test\ndomain: sre\ndifficulty: easy\ncandidate: script\n"
CLUSTER = "namespaces:\n  shop: {rights: edit}\n"  # lines 6 and 7 of the file
STACK = "manifests: [shop.yaml]\nimages: {service: images/service}\nalerts: {namespace: shop, service: prometheus}\n"

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a scenario and the stack ``stack`` beside it; gives the scenario's directory."""

    def make(cluster: str = CLUSTER, *, head: str = HEAD, stack: str = STACK, kind: str = "script") -> Path:
        directory = tmp_path / "one"
        (directory / "solution").mkdir(parents=True)
        part = indent(cluster, "  ")
        (directory / "scenario.yaml").write_text(head + (f"cluster:\n{part}" if cluster else ""))
        blocks = "".join(f"{{% block level_{n} %}}x{{% endblock %}}" for n in (1, 2, 3))
        (directory / "prompt.md.j2").write_text(blocks)
        (directory / "validate.py").write_text("def check_it(cluster): pass\n")
        (directory / "more.yaml").write_text("kind: ConfigMap\n")
        for name in PARTS[CandidateKind(kind)]:
            (directory / "solution" / name).write_text("x\n")
        (tmp_path / "stack" / "images" / "service").mkdir(parents=True)
        (tmp_path / "stack" / "images" / "service" / "Dockerfile").write_text("FROM scratch\n")
        (tmp_path / "stack" / "shop.yaml").write_text("kind: Service\n")
        (tmp_path / "stack" / "stack.yaml").write_text(stack)
        return directory

    return make


def complain(directory: Path) -> str:
    """What is said about a scenario, without the names of directories."""
    with pytest.raises(BrokenScenario) as caught:
        load_scenario(directory / "scenario.yaml")
    return str(caught.value).replace(f"{directory}/", "").replace(f"{directory.parent}/", "")


def test_a_cluster_is_read_whole(make: Make) -> None:
    """Every declared thing arrives in the domain value, defaults included; paths lead to files."""
    text = """
namespaces:
  shop: {rights: edit, quota: {pods: "20", requests.cpu: "2"}, manifests: [more.yaml]}
  bank: {}
stack: ../stack
exclusive: true
rights: [{resources: [nodes], verbs: [get]}]
faults:
  - {kind: scaled-to-zero, deployment: cart}
  - {kind: objects, manifest: more.yaml, namespace: bank}
alerts: [CartAway]
"""
    directory = make(text.lstrip())
    cluster = load_scenario(directory / "scenario.yaml").cluster
    assert cluster
    assert cluster.stack
    shop, bank = cluster.namespaces
    assert (shop.name, shop.rights, bank.name, bank.rights) == ("shop", "edit", "bank", "none")
    assert dict(shop.quota) == {"pods": "20", "requests.cpu": "2"}
    assert shop.manifests == (directory / "more.yaml",)
    assert cluster.stack.alerts == ("shop", "prometheus", 9090)
    assert cluster.stack.images == (("service", directory.parent / "stack" / "images" / "service"),)
    assert cluster.rights == (Rule(groups=("",), resources=("nodes",), verbs=("get",)),)
    assert [(fault.kind, fault.parameters["namespace"]) for fault in cluster.faults] == [
        ("scaled-to-zero", "shop"),
        ("objects", "bank"),
    ]
    assert cluster.faults[1].parameters["manifest"] == directory / "more.yaml"
    assert (cluster.exclusive, cluster.alerts, cluster.symptom_timeout) == (True, ("CartAway",), 60.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "faults:\n  - {kind: scaled-to-zeroo, deployment: a}",
            "9: cluster.faults.0: unknown kind 'scaled-to-zeroo'; did you mean 'scaled-to-zero'?",
        ),
        ("faults:\n  - {kind: earthquake}", "9: cluster.faults.0: unknown kind 'earthquake'; known: scaled-to-zero, "),
        ("faults:\n  - {deployment: a}", "9: cluster.faults.0: key 'kind' is missing; known: scaled-to-zero, "),
        ("faults:\n  - scaled-to-zero", "9: cluster.faults.0: a mapping is expected (seen: 'scaled-to-zero')"),
        ("faults:\n  - kind: scaled-to-zero", "9: key 'cluster.faults.0.deployment' is missing"),
        ("faults:\n  - {kind: command, deployment: a}", "9: key 'cluster.faults.0.command' is missing"),
        (
            "faults:\n  - kind: repelled-replicas\n    deployment: a\n    replicas: many",
            "11: cluster.faults.0.replicas: Input should be a valid integer",
        ),
        (
            "faults:\n  - kind: wrong-selector\n    service: a\n    label: {a: b}",
            "11: unknown key 'cluster.faults.0.label'; did you mean 'labels'?",
        ),
        (
            "faults:\n  - kind: command\n    deployment: a\n    command: [ls]\n    colour: red",
            "12: unknown key 'cluster.faults.0.colour'; known keys: namespace, deployment, kind, command",
        ),
        ("faults:\n  - kind: command\n    deployment: a\n    command: ls", "11: cluster.faults.0.command: "),
        (
            "faults:\n  - kind: deleted-service\n    service: a\n    namespace: bank",
            "11: unknown namespace 'bank'; namespaces: shop",
        ),
        ("faults:\n  - kind: objects\n    manifest: gone.yaml", "10: file 'gone.yaml' does not exist"),
        ("faults:\n  - kind: objects\n    manifest: ../stack/shop.yaml", "10: '../stack/shop.yaml' lies outside"),
        ("faults:\n  - kind: cordoned-node", "9: fault 'cordoned-node' changes the whole cluster: say exclusive: true"),
        ("alerts: [CartAway]", "8: alerts come from a stack's Prometheus: name a stack"),
        ("stack: ../gone", "8: stack '../gone': gone: holds no stack.yaml"),
        ("stak: ../stack", "8: unknown key 'cluster.stak'; did you mean 'stack'?"),
        ("rights:\n  - {resource: [pods], verbs: [get]}", "9: unknown key 'cluster.rights.0.resource'; did you mean"),
        ("rights:\n  - {resources: [pods], verbs: []}", "9: cluster.rights.0.verbs: List should have at least 1 item"),
        ("symptom_timeout: 0", "8: cluster.symptom_timeout: Input should be greater than 0 (seen: 0)"),
    ],
)
def test_a_mistake_names_its_line(make: Make, more: str, said: str) -> None:
    """The line of the key at fault, what was seen, and what is known or to be done."""
    text = complain(make(f"{CLUSTER}{more}\n"))
    assert f"scenario.yaml:{said}" in text


@pytest.mark.parametrize(
    ("namespaces", "said"),
    [
        ("{}", "6: cluster.namespaces: "),
        ("\n  shop: {rigths: edit}", "7: unknown key 'cluster.namespaces.shop.rigths'; did you mean 'rights'?"),
        ("\n  shop: {rights: root}", "7: cluster.namespaces.shop.rights: Input should be 'none', 'view', 'edit' or"),
        ("\n  shop:", "7: cluster.namespaces.shop: a mapping is expected (seen: None); an empty one is written {}"),
        ("\n  Shop: {}", "7: cluster.namespaces.Shop cannot be a name (lower case, digits, -)"),
        ("\n  shop: {quota: {pods: many}}", "7: cluster.namespaces.shop.quota.pods: "),
        ("\n  shop: {quota: {memory: 5K}}", "7: cluster.namespaces.shop.quota.memory: "),
        ("\n  shop: {manifests: [gone.yaml]}", "7: file 'gone.yaml' does not exist"),
        *(
            (f"\n  {name}: {{}}", f"7: cluster.namespaces.{name}: '{name}' has a meaning of its own")
            for name in sorted(RESERVED)
        ),
    ],
)
def test_a_namespace_is_checked(make: Make, namespaces: str, said: str) -> None:
    """Mistakes within a namespace name it and its line."""
    assert complain(make(f"namespaces: {namespaces.lstrip(' ')}\n")).startswith(f"scenario.yaml:{said}")


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("manifests: []", "stack/stack.yaml:1: manifests: List should have at least 1 item"),
        ("images: {}\nmanifests: [shop.yaml, gone.yaml]", "stack/stack.yaml:2: file 'gone.yaml' does not exist"),
        (
            "manifests: [shop.yaml]\nimages:\n  a: nowhere",
            "stack/stack.yaml:3: file 'nowhere/Dockerfile' does not exist",
        ),
        ("manifests: [shop.yaml]\nalert: {}", "stack/stack.yaml:2: unknown key 'alert'; did you mean 'alerts'?"),
        (
            "manifests: [shop.yaml]\nalerts: {namespace: shop, servce: x}",
            "stack/stack.yaml:2: key 'alerts.service' is missing",
        ),
        ("manifests: [", "stack/stack.yaml:2: is not valid YAML: "),
        ("- a", "stack/stack.yaml:1: a mapping is expected here, not list"),
        ("{}", "stack/stack.yaml:1: key 'manifests' is missing"),
    ],
)
def test_a_broken_stack_is_told(make: Make, stack: str, said: str) -> None:
    """With its own file and line, at the line of the scenario that names it."""
    text = complain(make(f"{CLUSTER}stack: ../stack\n", stack=f"{stack}\n"))
    assert text.startswith(f"scenario.yaml:8: stack '../stack': {said}")


@pytest.mark.parametrize(
    ("stack", "more", "said"),
    [
        (STACK.replace("shop,", "bank,"), "", "6: the stack's alerts need a namespace 'bank'"),
        ("manifests: [shop.yaml]\n", "alerts: [A]\n", "9: stack/stack.yaml does not say where its alerts are"),
    ],
)
def test_a_stack_must_suit_its_scenario(make: Make, stack: str, more: str, said: str) -> None:
    """What the two say must agree."""
    assert complain(make(f"{CLUSTER}stack: ../stack\n{more}", stack=stack)) == f"scenario.yaml:{said}"


@pytest.mark.parametrize(
    ("kind", "place", "said"),
    [
        ("script", "", "4: candidate 'script' is run on cluster: describe 'cluster'"),
        ("evidence", "hosts: {web: {}}", "4: candidate 'evidence' is run on cluster: describe 'cluster'"),
        ("script", "hosts: {web: {}}", "5: candidate 'script' is run on cluster: take out 'hosts'"),
        ("audit", "", "4: candidate 'audit' is run on hosts: describe 'hosts'"),
        ("playbook", "cluster: {namespaces: {a: {}}}", "5: candidate 'playbook' is run on hosts: take out 'cluster'"),
        ("answer", "hosts: {web: {}}", "5: candidate 'answer' is run nowhere, but looked at: take out 'hosts'"),
        ("policy", "cluster: {namespaces: {a: {}}}", "5: candidate 'policy' is run nowhere, but looked at: take out"),
        (
            "script",
            "hosts: {web: {}}\ncluster: {namespaces: {a: {}}}",
            "5: candidate 'script' is run on cluster: take out 'hosts'",
        ),
        ("answer", "probes: [{host: a, command: ls}]", "5: 'probes' is about hosts, and there are none: take it out"),
        ("answer", "setup: [{script: validate.py}]", "5: 'setup' is about hosts, and there are none: take it out"),
        ("novel", "", "4: candidate: Input should be 'playbook', 'script', "),
    ],
)
def test_a_candidate_needs_its_place(make: Make, kind: str, place: str, said: str) -> None:
    """Hosts for a playbook, a cluster for a script, neither for an answer; the sentence says what to change."""
    known = kind if kind in set(CandidateKind) else "script"
    directory = make("", head=HEAD.replace("script", kind) + f"{place}\n", kind=known)
    assert f"scenario.yaml:{said}" in complain(directory)


def test_a_solution_has_all_parts(make: Make) -> None:
    """Each part of the candidate is wanted, and the one that is missing is named."""
    assert complain(make(head=HEAD.replace("script", "evidence"))) == (
        "scenario.yaml:1: file 'solution/policy.rego' does not exist"
    )


def test_a_shell_validator_needs_a_host(make: Make) -> None:
    """On a cluster there is nowhere to run it."""
    directory = make(head=f"{HEAD}validators: [validate.sh]\n")
    (directory / "validate.sh").write_text("check x true\n")
    assert complain(directory) == "scenario.yaml:5: validator 'validate.sh' needs a host to run on"


def test_the_schema_knows_clusters(make: Make) -> None:
    """Editors accept what loads, and refuse an unknown fault."""
    content = yaml.safe_load((make(f"{CLUSTER}faults: [{{kind: cordoned-node}}]\n") / "scenario.yaml").read_text())
    jsonschema.validate(content, build_schema())
    content["cluster"]["faults"][0]["kind"] = "earthquake"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, build_schema())


@pytest.mark.parametrize(
    ("changed", "task", "validators"),
    [
        ("stack/shop.yaml", False, True),
        ("stack/images/service/Dockerfile", False, True),
        ("stack/images/service/new.py", False, True),
        ("stack/images/__pycache__/new.pyc", True, True),
        ("one/more.yaml", False, True),
        ("one/validate.py", True, False),
        ("one/solution/script.sh", True, True),
    ],
)
def test_a_stack_is_part_of_the_task(make: Make, changed: str, *, task: bool, validators: bool) -> None:
    """A change of the stack is another task; of what the interpreter leaves there it is none."""
    directory = make(f"{CLUSTER}stack: ../stack\n")
    before = describe_scenario(directory)
    file = directory.parent / changed
    file.parent.mkdir(exist_ok=True)
    file.write_text("changed\n")
    describe_scenario.cache_clear()
    after = describe_scenario(directory)
    assert (after.task == before.task, after.validators == before.validators) == (task, validators)
