"""The command pytest-itbench without containers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_itbench.cli import main
from pytest_itbench.loading.scenario import load_scenario

Capture = pytest.CaptureFixture[str]


def test_new_writes_a_scenario(tmp_path: Path, capsys: Capture) -> None:
    """The files are there, they load, and the next step is told."""
    assert main(["new", str(tmp_path / "mine")]) == 0
    assert load_scenario(tmp_path / "mine" / "scenario.yaml").id == "mine"
    assert capsys.readouterr().out.endswith(f"next: pytest-itbench check {tmp_path}/mine\n")


def test_new_overwrites_nothing(tmp_path: Path, capsys: Capture) -> None:
    """A directory with anything in it is left alone."""
    (tmp_path / "precious").write_text("")
    assert main(["new", str(tmp_path)]) == 4
    assert capsys.readouterr().err == f"ERROR: {tmp_path} exists and is not an empty directory; choose another path\n"


@pytest.mark.parametrize("name", ["scenario", "summary"])
def test_schemas_are_printed(name: str, capsys: Capture) -> None:
    """Editors and readers of summary.json get JSON Schema of 2020-12."""
    assert main(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_prepare_needs_scenarios(tmp_path: Path, capsys: Capture) -> None:
    """A path without scenarios is a mistake, not a success."""
    assert main(["prepare", str(tmp_path / "nowhere")]) == 4
    assert "no scenario.yaml at or below" in capsys.readouterr().err


def test_prepare_refuses_broken_scenarios(make_scenario: Callable[..., Path], capsys: Capture) -> None:
    """Mistakes are told by line, as pytest tells them."""
    directory = make_scenario(extra="colour: red")
    assert main(["prepare", str(directory)]) == 4
    assert "scenario.yaml:8: unknown key 'colour'" in capsys.readouterr().err


def test_prepare_asks_the_provider(make_scenario: Callable[..., Path]) -> None:
    """Another provider of environments is prepared by name."""
    assert main(["prepare", "--environment=fake", str(make_scenario())]) == 0


def test_doctor_says_what_a_cluster_takes(capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without one nothing is wrong, but scenarios are skipped; a kubeconfig that cannot be one is a mistake."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PYTEST_ITBENCH_KUBECONFIG", raising=False)
    main(["doctor", "--environment=fake"])
    lines = capsys.readouterr().out.splitlines()
    (told,) = (line for line in lines if line.startswith("ok    cluster: none"))
    assert "name a test cluster (--kubeconfig FILE), or install kind" in told
    assert main(["doctor", "--environment=fake", "--kubeconfig=gone.yaml"]) == 4
    assert "--kubeconfig: kubeconfig gone.yaml cannot be read: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["doctor", "--colour"]])
def test_unknown_commands_are_refused(arguments: list[str], capsys: Capture) -> None:
    """What is not known is answered with the usage."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: pytest-itbench" in capsys.readouterr().err
