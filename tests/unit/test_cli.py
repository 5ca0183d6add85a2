"""The command pytest-itbench without containers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_itbench.cli import main
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.solvers.prompt import render_prompt

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


def test_a_library_is_marked(make_scenario: Callable[..., Path], tmp_path: Path, capsys: Capture) -> None:
    """Every file that can hold a comment gets the library's line once, and is otherwise as it was."""
    library = tmp_path / "library"
    directory = make_scenario("one", below=library, extra="setup: [{script: setup.sh}]")
    (directory / "setup.sh").write_text("#!/bin/sh\ntrue\n")
    (directory / "setup.sh").chmod(0o755)
    (directory / "site.yml").write_text("page: 1\n")
    file = directory / "scenario.yaml"
    file.write_text(file.read_text().replace("web: {}", "web: {files: [{src: site.yml, dest: /site.yml}]}"))
    assert main(["canary", str(library)]) == 0
    line = (library / "CANARY").read_text().strip()
    assert (directory / "setup.sh").read_text() == f"#!/bin/sh\n# {line}\ntrue\n"
    assert (directory / "setup.sh").stat().st_mode & 0o777 == 0o755
    assert (directory / "prompt.md.j2").read_text().startswith(f"{{# {line} #}}\n")
    assert (directory / "site.yml").read_text() == "page: 1\n"  # what hosts hold is part of the task
    load_scenario.cache_clear()
    assert line not in str(render_prompt(load_scenario(file), 1))
    capsys.readouterr()
    assert main(["canary", str(library), "--check"]) == 0
    (directory / "validate.py").write_text("def check_it(web): assert web.file('/a').exists\n")
    assert main(["canary", str(library), "--check"]) == 1
    assert capsys.readouterr().out == f"{directory}/validate.py: lacks the line of {library}/CANARY\n"
    assert main(["canary", str(library)]) == 0
    assert (library / "CANARY").read_text().strip() == line


def test_a_library_without_a_line_or_scenarios(
    make_scenario: Callable[..., Path], tmp_path: Path, capsys: Capture
) -> None:
    """Both are told in a line."""
    (tmp_path / "empty").mkdir()
    assert main(["canary", str(tmp_path / "empty")]) == 4
    make_scenario("one", below=tmp_path / "library")
    assert main(["canary", str(tmp_path / "library"), "--check"]) == 4
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"ERROR: no scenario.yaml below {tmp_path}/empty"
    assert second.endswith("CANARY cannot be read: No such file or directory; pytest-itbench canary makes it")


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
