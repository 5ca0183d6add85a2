"""An engine that is killed, stopped, restarted, that hangs or is full: one of the tests' own, not the machine's."""

from __future__ import annotations

import secrets
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.environments.docker.leftovers import find_left
from tests.faults.conftest import PATIENCE, Lab, describe, wait_for
from tests.faults.spare_engine import SpareEngine, why_not

FEW = 256 * 1024
"""Bytes that a file system may need for itself."""


@pytest.fixture(scope="module")
def images() -> list[str]:
    """What a run needs, from the machine's engine."""
    command = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}} {{.CreatedAt}}", "--filter", f"label={LABEL}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    newest = {line.partition(":")[0]: line.partition(" ")[0] for line in reversed(found)}
    return [newest["itbench/control"], newest["itbench/host"], "itbench/base:trixie"]


@pytest.fixture
def spare(lab: Lab, images: list[str]) -> Iterator[SpareEngine]:
    """An engine of its own for the lab's runs."""
    if reason := why_not():
        pytest.skip(f"not on this machine: {reason}")
    with SpareEngine(images) as engine:
        lab.variables["DOCKER_HOST"] = engine.url
        yield engine


def list_left(engine: SpareEngine) -> list[str]:
    """What of attempts is on the spare engine."""
    client = Engine(engine.url)
    try:
        return [str(thing.name) for thing in find_left(client, f"{LABEL}.run")]
    finally:
        client.close()


def begin_slow(lab: Lab, engine: SpareEngine, run: str) -> subprocess.Popen[str]:
    """A run whose candidate is being applied when this returns."""
    process = lab.start(run=run, model="m=file:slow.yml")
    wait_for(lambda: any(name.endswith("-control") for name in list_left(engine)), f"no attempt\n{lab.log(run)}")
    wait_for(lambda: "itbench/checkpoint" in list_images(engine), "no checkpoint")
    wait_for(lambda: (lab.place / "reports" / run).exists() and len(list_left(engine)) == 3, "no machines")
    time.sleep(2.5)
    return process


def list_images(engine: SpareEngine) -> str:
    """The names of its images."""
    command = ["docker", "-H", engine.url, "images", "--format", "{{.Repository}}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_an_engine_that_is_restarted(lab: Lab, spare: SpareEngine, how: str) -> None:
    """What was under way is made again on the new one; the candidate is not to blame for what stopped."""
    process = begin_slow(lab, spare, "r")
    getattr(spare, how)()
    spare.start()
    spare.wait_ready()
    assert process.wait(PATIENCE) == 0, lab.log()
    verdict, causes = describe(lab.outcome())
    assert verdict == "solved"
    assert causes, lab.outcome()
    assert set(causes) <= {"engine down", "engine restarted", "machine gone", "engine"}
    assert list_left(spare) == []


def test_an_engine_that_never_comes_back(lab: Lab, spare: SpareEngine) -> None:
    """The attempt is invalid, and what was left is removed when the engine is there again."""
    process = begin_slow(lab, spare, "r")
    spare.kill()
    assert process.wait(PATIENCE) == 1, lab.log()
    outcome = lab.outcome()
    assert (outcome["verdict"], outcome["kind"]) == ("invalid", "engine")
    assert "does not answer" in outcome["message"]
    spare.start()
    spare.wait_ready()
    assert lab.command("reap").returncode == 0
    assert list_left(spare) == []
    assert lab.resume("r") == 0, lab.log()
    assert lab.outcomes()[-1]["verdict"] == "solved"


def test_an_engine_that_hangs(lab: Lab, spare: SpareEngine) -> None:
    """A while without answers changes nothing."""
    process = begin_slow(lab, spare, "r")
    spare.pause()
    time.sleep(8)
    spare.resume()
    assert process.wait(PATIENCE) == 0, lab.log()
    assert lab.outcome()["verdict"] == "solved"


def test_a_full_disk(lab: Lab, spare: SpareEngine) -> None:
    """With room again the attempt is made again; without, it is invalid with what to do."""
    assert lab.run(run="warm") == 0, lab.log("warm")
    spare.fill_disk(leave=FEW)
    later = threading.Timer(9, spare.free_disk)
    later.start()
    status = lab.run(run="passes")
    later.join()
    verdict, causes = describe(lab.outcome("passes"))
    assert (status, verdict, set(causes)) == (0, "solved", {"disk full"}), lab.log("passes")
    spare.fill_disk(leave=FEW)
    assert lab.run(run="stays") == 1
    outcome = lab.outcome("stays")
    assert (outcome["verdict"], outcome["kind"]) == ("invalid", "engine"), lab.log("stays")
    assert "docker system prune" in outcome["hint"]


def test_two_engines_share_the_work(lab: Lab, spare: SpareEngine) -> None:
    """Attempts go to both; the same engine under two names is a mistake."""
    usual = "unix:///var/run/docker.sock"
    run = f"r{secrets.token_hex(4)}"
    both = [f"--itbench-docker-host={url}" for url in (usual, spare.url)]
    process = lab.start(*both, "-n4", "--itbench-attempts=4", run=run, model="m=file:slow.yml")
    wait_for(lambda: list_left(spare), f"nothing on the second engine\n{lab.log(run)}")
    assert process.wait(PATIENCE) == 0, lab.log(run)
    assert [outcome["verdict"] for outcome in lab.outcomes(run)] == ["solved"] * 4
    assert list_left(spare) == []
