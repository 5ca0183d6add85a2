"""What a kept proof holds for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_itbench import proofs
from pytest_itbench.loading.scenario import load_scenario

LIBRARY = Path(__file__).resolve().parents[2] / "scenarios"
OF_HOSTS = sorted(LIBRARY.glob("networking/**/scenario.yaml"))[0]
OF_A_CLUSTER = sorted(LIBRARY.glob("sre/**/scenario.yaml"))[0]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package to change."""
    copy = tmp_path / "package"
    shutil.copytree(proofs.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(proofs, "PACKAGE", copy)
    return copy


def identify(file: Path) -> str:
    """The key, as another process would find it."""
    proofs._hash_files.cache_clear()
    return proofs.identify(load_scenario(file))


@pytest.mark.parametrize(
    ("changed", "of_hosts", "of_a_cluster"),
    [
        ("environments/docker/checkpoint.py", True, True),
        ("environments/kubernetes/pods_image/close.sh", False, True),
        ("validation/shell_file.py", True, True),
        ("runner.py", True, True),
        ("reporting/html.py", False, False),
        ("models/choice.py", False, False),
    ],
)
def test_a_proof_holds_until_what_it_depends_on_changes(
    package: Path, changed: str, of_hosts: bool, of_a_cluster: bool
) -> None:
    """What asks models or reports changes none, and what drives clusters none of scenarios with hosts."""
    before = [identify(OF_HOSTS), identify(OF_A_CLUSTER)]
    with (package / changed).open("a") as file:
        file.write("\n")
    after = [identify(OF_HOSTS), identify(OF_A_CLUSTER)]
    assert [old != new for old, new in zip(before, after, strict=True)] == [of_hosts, of_a_cluster]


def test_every_part_named_is_there() -> None:
    """A part that was renamed would change no proof any more."""
    for part in (*proofs.HARNESS, proofs.KUBERNETES):
        assert (proofs.PACKAGE / part).exists(), part
