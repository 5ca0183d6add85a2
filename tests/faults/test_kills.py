"""Processes that are killed: what was finished is on disk, what was begun is removed, and nobody else is touched."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.faults.conftest import PATIENCE, Lab, describe, list_left, wait_for
from tests.faults.proxy import Delay, EngineProxy, Rule
from tests.faults.test_answers import APPLY, CONTROL, EXEC, HOST, START

# The request before which the process is killed, by the stage of the attempt.
STAGES = {
    "before the network": ("POST", "/networks/create"),
    "before the hosts": ("POST", HOST),
    "before the control machine": ("POST", CONTROL),
    "before a host's start": ("POST", START),
    "in the precondition": ("POST", EXEC),
    "while a checkpoint is made": ("POST", "/commit"),
    "when the candidate is applied": ("POST", APPLY),
    "when the candidate is ended": ("POST", "/containers/itbench-[0-9a-f]{12}-control/kill"),
    "while it is removed": ("DELETE", "/containers/"),
}


@pytest.fixture
def proxy(lab: Lab) -> Iterator[EngineProxy]:
    """Stands between the lab's runs and the engine."""
    with EngineProxy() as proxy:
        lab.variables["DOCKER_HOST"] = proxy.url
        yield proxy


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_a_stage(lab: Lab, proxy: EngineProxy, stage: str) -> None:
    """Reaping removes all of it, once; resuming runs what is left and ends well."""
    if stage == "while a checkpoint is made":  # one that nobody has
        (lab.place / "notice" / "setup.sh").write_text(
            f"#!/bin/sh\n# {secrets.token_hex(8)}\necho set up >/etc/set-up\n"
        )
    rule, run = Rule(*STAGES[stage], Delay(30), 1), f"r{secrets.token_hex(4)}"
    proxy.add(rule)
    process = lab.start(run=run)
    wait_for(lambda: proxy.hits[rule], f"the run does not come to: {rule}\n{lab.log(run)}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    proxy.clear()
    assert all(outcome["verdict"] == "solved" for outcome in lab.outcomes(run))
    reaped = lab.command("reap")
    assert reaped.returncode == 0, reaped.stderr
    assert list_left(run) == []
    assert lab.command("reap").stdout == "nothing is left behind\n"
    assert lab.resume(run) == 0, lab.log(run)
    assert describe(lab.outcome(run)) == ("solved", [])


def test_a_worker_that_is_killed(lab: Lab) -> None:
    """Its attempt is invalid, the other one is judged, and its machines are removed at the end of the run."""
    run = f"r{secrets.token_hex(4)}"
    process = lab.start("-n2", "--itbench-attempts=2", run=run, model="m=file:slow.yml")
    wait_for(lambda: len([name for name in list_left(run) if name.endswith("-control")]) == 2, "no attempts begin")
    time.sleep(1)
    os.kill(find_worker(process.pid), signal.SIGKILL)
    assert process.wait(PATIENCE) == 1
    verdicts = sorted((outcome["verdict"], outcome["kind"]) for outcome in lab.outcomes(run))
    assert verdicts == [("invalid", "worker lost"), ("solved", None)], lab.log(run)
    assert list_left(run) == []


def find_worker(controller: int) -> int:
    """A worker of a run: a child of the process that was started."""
    found = subprocess.run(["pgrep", "-P", str(controller)], capture_output=True, text=True, check=True)
    return int(found.stdout.split()[0])


def test_interrupted(lab: Lab) -> None:
    """Ctrl-C ends a run in seconds, with what was finished in the summary and nothing left."""
    run = f"r{secrets.token_hex(4)}"
    process = lab.start("--itbench-attempts=2", run=run, model="m=script:./answer")
    script = lab.place / "answer"
    script.write_text('#!/bin/sh\n[ "$ITBENCH_ATTEMPT" = 0 ] && cat notice/solution/playbook.yml || cat slow.yml\n')
    script.chmod(0o755)
    wait_for(lambda: lab.outcomes(run), f"no outcome\n{lab.log(run)}")
    wait_for(lambda: any(name.endswith("-control") for name in list_left(run)), "no second attempt")
    time.sleep(2)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(PATIENCE) == 2
    assert time.monotonic() - begun < 10
    assert "1 solved, 0 missed, 1 invalid" in lab.log(run)
    assert [outcome["verdict"] for outcome in lab.outcomes(run)] == ["solved", "invalid"]
    assert list_left(run) == []


def test_another_run_is_not_touched(lab: Lab) -> None:
    """While one run goes on, another is killed and reaped, and a third comes and goes."""
    names = [f"r{secrets.token_hex(4)}" for _ in range(3)]
    living = lab.start(run=names[0], model="m=file:slow.yml")
    killed = lab.start(run=names[1], model="m=file:slow.yml")
    wait_for(lambda: all(len(list_left(name)) == 3 for name in names[:2]), "the runs do not begin")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert lab.command("reap").returncode == 0
    assert list_left(names[1]) == []
    assert lab.run(run=names[2]) == 0, lab.log(names[2])
    assert living.wait(PATIENCE) == 0, lab.log(names[0])
    assert describe(lab.outcome(names[0])) == ("solved", [])


def test_machines_that_somebody_removes(lab: Lab) -> None:
    """A host that is removed from outside during the attempt is not the candidate's doing."""
    run = f"r{secrets.token_hex(4)}"
    process = lab.start(run=run, model="m=file:slow.yml")
    wait_for(lambda: len(list_left(run)) == 3, "the run does not begin")
    time.sleep(3)
    (host,) = [name for name in list_left(run) if name.endswith("-web")]
    subprocess.run(["docker", "rm", "-f", host], check=True, capture_output=True)
    assert process.wait(PATIENCE) == 0, lab.log(run)
    assert describe(lab.outcome(run)) == ("solved", ["machine gone"]), lab.outcome(run)
