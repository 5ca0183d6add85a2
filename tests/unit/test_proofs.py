"""What a kept proof holds for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_itbench import proofs
from pytest_itbench.domain.scenario import Cluster, Namespace, Scenario
from pytest_itbench.loading.scenario import load_scenario


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package to change."""
    copy = tmp_path / "package"
    shutil.copytree(proofs.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(proofs, "PACKAGE", copy)
    return copy


@pytest.fixture
def scenarios(make_scenario: Callable[..., Path]) -> list[Scenario]:
    """One with hosts, one on a cluster."""
    scenario = load_scenario(make_scenario() / "scenario.yaml")
    cluster = Cluster(namespaces=(Namespace(name="shop"),))
    return [scenario, replace(scenario, hosts=(), cluster=cluster)]


def identify(scenarios: list[Scenario]) -> list[str]:
    """Their keys, as another process would find them."""
    proofs._hash_files.cache_clear()
    return [proofs.identify(scenario) for scenario in scenarios]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("environments/docker/checkpoint.py", [True, True]),
        ("environments/kubernetes/pods_image/close.sh", [False, True]),
        ("validation/shell_file.py", [True, True]),
        ("runner.py", [True, True]),
        ("reporting/html.py", [False, False]),
        ("models/choice.py", [False, False]),
    ],
)
def test_a_proof_holds_until_what_it_depends_on_changes(
    package: Path, scenarios: list[Scenario], changed: str, expected: list[bool]
) -> None:
    """What asks models or reports changes none, and what drives clusters none of scenarios with hosts."""
    before = identify(scenarios)
    with (package / changed).open("a") as file:
        file.write("\n")
    after = identify(scenarios)
    assert [old != new for old, new in zip(before, after, strict=True)] == expected


def test_every_part_named_is_there() -> None:
    """A part that was renamed would change no proof any more."""
    for part in (*proofs.HARNESS, proofs.KUBERNETES):
        assert (proofs.PACKAGE / part).exists(), part
