"""A real vLLM server, started and ended by the run, with a tiny model of our own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_itbench.scaffold import write_scenario

PYTHON = os.environ.get("PYTEST_ITBENCH_VLLM_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="not on this machine: no vLLM; make test-vllm installs it")

ON_A_PROCESSOR = "--itbench-vllm-arg=--dtype=float32 --enforce-eager --max-num-seqs=16"
KILL_THE_SERVER = """
import subprocess
def pytest_itbench_outcome(outcome):
    subprocess.run(["pkill", "-9", "-f", "^[^ ]*python[^ ]* -m vllm.* {model}"], check=False)
"""


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a model."""
    place = tmp_path_factory.mktemp("model") / "tiny"
    script = Path(__file__).with_name("make_model.py")
    subprocess.run([str(PYTHON), str(script), str(place)], check=True, capture_output=True)
    return place


Run = Callable[..., pytest.RunResult]


@pytest.fixture
def arguments(pytester: pytest.Pytester, model: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a run is given: a scenario, on fake environments, and the model."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    write_scenario(pytester.path / "notice")
    spec = f"--itbench-model=tiny=vllm:{model}"
    return ["notice", spec, ON_A_PROCESSOR, "--itbench-max-tokens=20", "--itbench-run=r"]


@pytest.fixture
def run(pytester: pytest.Pytester, arguments: list[str]) -> Run:
    """Runs the scenario."""
    return lambda *more: pytester.runpytest_subprocess(*arguments, *more)


def find_processes(model: Path) -> list[str]:
    """The processes that serve the model, watchdog and all."""
    return subprocess.run(["pgrep", "-f", str(model)], check=False, capture_output=True, text=True).stdout.split()


def test_one_server_for_all_workers_and_temperatures(run: Run, model: Path, pytester: pytest.Pytester) -> None:
    """It is started once, answers all, is gone at the end, and its replies come again without it."""
    options = ("-n2", "--itbench-attempts=6", "--itbench-temperature=0.5", "--itbench-temperature=1")
    result = run(*options, "--itbench-generate-only")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines([f"itbench: vLLM with {model} is ready after * s at http://127.0.0.1:*"])
    result.stdout.no_fnmatch_line("*server-2*")
    place = pytester.path / "reports" / "r"
    lines = [json.loads(line) for line in (place / "candidates.jsonl").read_text().splitlines()]
    assert len({line["reply"] for line in lines}) == 12
    assert all(line["usage"]["output_tokens"] == 20 for line in lines)
    assert [path.name for path in place.glob("server-*.log")] == ["server-1.log"]
    assert find_processes(model) == []
    again = run(*options, "--itbench-run=s", "--itbench-record=none")
    again.assert_outcomes(failed=12)
    assert "is ready" not in again.stdout.str()


def test_a_server_that_dies_says_why(run: Run, model: Path, pytester: pytest.Pytester) -> None:
    """What it cannot answer any more is invalid at once, with the end of its log."""
    pytester.makeconftest(KILL_THE_SERVER.format(model=model))
    result = run("--itbench-concurrency=1", "--itbench-retries=9", "--itbench-attempts=30")
    result.stdout.fnmatch_lines(["invalid, provider: vLLM with * ended with status *; the end of its log (*):"])
    lines = (pytester.path / "reports" / "r" / "outcomes.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert len(kinds) == 30
    assert kinds.count("provider") > 20
    assert find_processes(model) == []


def test_a_killed_run_leaves_no_server(pytester: pytest.Pytester, arguments: list[str], model: Path) -> None:
    """Neither the server nor the processes that it started."""
    log = pytester.path / "log"
    with log.open("w") as output:
        command = [sys.executable, "-m", "pytest", *arguments, "--itbench-attempts=50"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        while "is ready after" not in log.read_text() and process.poll() is None:
            time.sleep(0.2)
        assert find_processes(model)
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 30
    while find_processes(model):
        assert time.monotonic() < deadline, "the server still runs"
        time.sleep(0.2)


def test_an_unknown_argument_is_told(pytester: pytest.Pytester, arguments: list[str]) -> None:
    """Exit status 4, and vLLM's own words."""
    result = pytester.runpytest_subprocess(*arguments, "--itbench-vllm-arg=--no-such-argument")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: vLLM with * ended with status 2; the end of its log *", "*--no-such-argument*"]
    )
