"""Replies are data: recorded, used again, made without environments, judged elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., pytest.RunResult]
Outcomes = Callable[[], list[dict[str, Any]]]

SCRIPT = """#!/bin/sh
echo "$ITBENCH_SCENARIO $ITBENCH_ATTEMPT" >>asked
[ ! -e "fail-$ITBENCH_ATTEMPT" ] || exit 1
echo '```yaml'; echo '- hosts: all'; [ "$ITBENCH_ATTEMPT" = 1 ] || echo '# right'; echo '```'
"""
MODEL = "--itbench-model=script:./ask"


@pytest.fixture
def asked(scenarios: Path) -> Callable[[], list[str]]:
    """A model that notes what it is asked; gives its notes since the last look, sorted."""
    script, notes = scenarios.parent / "ask", scenarios.parent / "asked"
    script.write_text(SCRIPT)
    script.chmod(0o755)

    def read() -> list[str]:
        lines = sorted(notes.read_text().splitlines()) if notes.exists() else []
        notes.write_text("")
        return lines

    return read


def test_nothing_is_paid_for_twice(scenarios: Path, run: Run, asked: Callable[[], list[str]]) -> None:
    """A second run asks only for what the first one did not; verdicts are the same."""
    run("scenarios", MODEL, "--itbench-attempts=2").assert_outcomes(passed=2, failed=2)
    assert asked() == ["one 0", "one 1", "two 0", "two 1"]
    run("scenarios", MODEL, "--itbench-attempts=3", "--itbench-run=s").assert_outcomes(passed=4, failed=2)
    assert asked() == ["one 2", "two 2"]


def test_a_changed_request_is_asked_anew(scenarios: Path, run: Run, asked: Callable[[], list[str]]) -> None:
    """Another level, another temperature, another prompt: another request."""
    run("scenarios/one", MODEL)
    run("scenarios/one", MODEL, "--itbench-level=1", "--itbench-run=s")
    run("scenarios/one", MODEL, "--itbench-temperature=0.5", "--itbench-run=t")
    (scenarios / "one" / "prompt.md.j2").write_text(
        (scenarios / "one" / "prompt.md.j2").read_text().replace("right", "good")
    )
    run("scenarios/one", MODEL, "--itbench-run=u")
    assert asked() == ["one 0"] * 4


def test_recordings_alone_answer(scenarios: Path, run: Run, asked: Callable[[], list[str]], outcomes: Outcomes) -> None:
    """With none, nobody is asked: what is recorded has its verdict, the rest is invalid."""
    run("scenarios/one", MODEL, "--itbench-run=before")
    asked()
    result = run("scenarios/one", MODEL, "--itbench-attempts=2", "--itbench-record=none")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*no recording answers one, attempt 1, of script-ask", "hint: *--itbench-record=new"])
    assert asked() == []
    assert [o["kind"] for o in outcomes()] == [None, "provider"]


def test_everything_is_asked_anew(scenarios: Path, run: Run, asked: Callable[[], list[str]]) -> None:
    """With all, recordings are replaced."""
    run("scenarios/one", MODEL)
    run("scenarios/one", MODEL, "--itbench-record=all", "--itbench-run=s")
    assert asked() == ["one 0", "one 0"]


def test_once_records_once(scenarios: Path, run: Run, asked: Callable[[], list[str]]) -> None:
    """With once, a first run records, a second one asks nobody, also with workers."""
    once = ("--itbench-record=once", "--itbench-recordings=kept", "-n2")
    run("scenarios/one", MODEL, *once, "--itbench-attempts=2").assert_outcomes(passed=1, failed=1)
    assert len(asked()) == 2
    run("scenarios/one", MODEL, *once, "--itbench-attempts=3", "--itbench-run=s").assert_outcomes(
        passed=1, failed=1, errors=1
    )
    assert asked() == []
    assert len(list((scenarios.parent / "kept").rglob("*.json"))) == 2


def test_recorded_providers_need_no_key(scenarios: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run from recordings starts without a key."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    run("scenarios/one", "--itbench-model=openai:m", "--itbench-record=none").assert_outcomes(errors=1)


def test_generated_now_judged_later(
    scenarios: Path, run: Run, asked: Callable[[], list[str]], outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Candidates are made where there is no engine, and get the verdicts that they would have got at once."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    generate = ("--itbench-generate-only", "--itbench-environment=docker", "--itbench-run=g", "-n2")
    result = run("scenarios", MODEL, "--itbench-model=noop", "--itbench-attempts=2", *generate)
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(
        ["8 of 8 candidates: reports/g/candidates.jsonl; to judge them: --itbench-candidates=*"]
    )
    assert not (scenarios.parent / "reports" / "g" / "summary.json").exists()
    asked()
    run("scenarios", "--itbench-candidates=reports/g/candidates.jsonl").assert_outcomes(passed=2, failed=6)
    assert asked() == []
    assert {(o["key"]["model"], o["key"]["index"], o["verdict"]) for o in outcomes()} == {
        ("script-ask", 0, "solved"),
        ("script-ask", 1, "missed"),
        ("noop", 0, "missed"),
        ("noop", 1, "missed"),
    }


def test_candidates_know_how_they_were_asked_for(scenarios: Path, run: Run, asked: Callable[[], list[str]]) -> None:
    """Model, level and temperature of each stand in the tables of the run that judges them."""
    ways = ("--itbench-level=1", "--itbench-level=3", "--itbench-temperature=0.2", "--itbench-temperature=0.8")
    run("scenarios/one", MODEL, *ways, "--itbench-generate-only", "--itbench-run=g")
    run("scenarios/one", "--itbench-candidates=reports/g/candidates.jsonl", "--itbench-run=j")
    info = json.loads((scenarios.parent / "reports" / "j" / "summary.json").read_text())["run"]
    seen = {(c["label"], c["level"], c["temperature"], c["sampling"]["asked"]) for c in info["choices"]}
    assert asked()
    model = json.dumps(MODEL.removeprefix("--itbench-model="))
    assert seen == {(f"script-ask-t{t}-l{level}", level, t, model) for t in (0.2, 0.8) for level in (1, 3)}


def test_each_model_is_judged_by_what_the_file_holds(scenarios: Path, run: Run, outcomes: Outcomes) -> None:
    """A model with fewer candidates than another has fewer attempts, and none that is invalid."""
    counts = {"few": 1, "many": 3}
    lines = [
        json.dumps({"scenario": "one", "model": model, "reply": "no", "attempt": index})
        for model, count in counts.items()
        for index in range(count)
    ]
    (scenarios.parent / "uneven").write_text("\n".join(lines))
    run("scenarios/one", "--itbench-candidates=uneven").assert_outcomes(failed=4)
    assert Counter(outcome["key"]["model"] for outcome in outcomes()) == counts
    run("scenarios/one", "--itbench-candidates=uneven", "--itbench-attempts=2", "--itbench-run=s").assert_outcomes(
        failed=3
    )


def test_interrupted_generation_resumes(scenarios: Path, run: Run, asked: Callable[[], list[str]]) -> None:
    """What failed is asked for again, what was got is not."""
    (scenarios.parent / "fail-1").touch()
    generate = ("scenarios/one", MODEL, "--itbench-attempts=3", "--itbench-generate-only")
    result = run(*generate)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["2 of 3 candidates: *"])
    (scenarios.parent / "fail-1").unlink()
    asked()
    run(*generate, "--itbench-run=s").assert_outcomes(passed=3)
    assert asked() == ["one 1"]
    lines = (scenarios.parent / "reports" / "s" / "candidates.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["attempt"] for line in lines) == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--itbench-candidates=gone",), "replay:gone: cannot be read: *"),
        (("--itbench-candidates=empty",), "--itbench-candidates=empty holds no candidates"),
        (("--itbench-candidates=empty", "--itbench-model=noop"), "*exclude each other*"),
        (("--itbench-model=replay:two",), "replay:two holds several models; to judge them: --itbench-candidates=two"),
        (
            ("--itbench-model=noop", "--itbench-record=never"),
            "--itbench-record: 'never' cannot be used: must be one of *",
        ),
    ],
)
def test_mistakes_are_one_line(scenarios: Path, run: Run, arguments: tuple[str, ...], said: str) -> None:
    """Exit status 4 and what to do."""
    (scenarios.parent / "empty").write_text("")
    lines = [json.dumps({"scenario": "a", "model": model, "reply": ""}) for model in "xy"]
    (scenarios.parent / "two").write_text("\n".join(lines))
    result = run("scenarios", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])


def test_keys_reach_nothing_that_is_written(
    scenarios: Path, run: Run, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A canary that the model's command prints, on stdout and in its last words, is found nowhere afterwards."""
    canary = "sk-canary-0123456789abcdef"
    monkeypatch.setenv("OPENAI_API_KEY", canary)
    leak = '[ "$ITBENCH_ATTEMPT" = 2 ] && { echo "bad key $OPENAI_API_KEY" >&2; exit 1; }\n'
    (scenarios.parent / "ask").write_text(
        SCRIPT.replace("echo '- hosts", leak + 'echo "# $OPENAI_API_KEY"; echo \'- hosts')
    )
    options = ("--itbench-attempts=3", "--junitxml=j.xml", "--html=h.html", "--itbench-recordings=kept", "-vv", "-n2")
    result = run("scenarios", MODEL, *options)
    result.assert_outcomes(passed=2, failed=2, errors=2)
    run("scenarios", MODEL, *options, "--itbench-generate-only", "--itbench-run=g")
    written = [path for path in scenarios.parent.rglob("*") if path.is_file() and path.name != "ask"]
    assert {"j.xml", "h.html", "outcomes.jsonl", "candidates.jsonl", "reply.md", "candidate.yml"} <= {
        p.name for p in written
    }
    assert [path for path in written if canary.encode() in path.read_bytes()] == []
    assert canary not in result.stdout.str() + result.stderr.str()
    assert "[OPENAI_API_KEY]" in result.stdout.str()


def test_an_interrupted_run_leaves_no_command(scenarios: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the run with pytest's own status, and the command that was asked with it."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    (scenarios.parent / "ask").write_text("#!/bin/sh\necho $$ >pid\nexec sleep 60\n")
    (scenarios.parent / "ask").chmod(0o755)
    process = subprocess.Popen([sys.executable, "-m", "pytest", "scenarios", MODEL], cwd=scenarios.parent)
    deadline = time.monotonic() + 30
    while not ((scenarios.parent / "pid").exists() and (scenarios.parent / "pid").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == pytest.ExitCode.INTERRUPTED
    with pytest.raises(ProcessLookupError):
        os.kill(int((scenarios.parent / "pid").read_text()), 0)
