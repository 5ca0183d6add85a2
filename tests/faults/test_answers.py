"""What an engine may answer instead of doing its work: the verdict is right all the same, and nothing is left."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.faults.conftest import Lab, describe, list_left
from tests.faults.proxy import Action, Answer, Cut, Delay, Drop, EngineProxy, Rule

HOST = r"/containers/create\?name=itbench-[0-9a-f]{12}-web"
CONTROL = r"/containers/create\?name=itbench-[0-9a-f]{12}-control"
START = r"/containers/itbench-[0-9a-f]{12}-web/start"
EXEC = r"/containers/itbench-[0-9a-f]{12}-web/exec"
APPLY = r"/containers/itbench-[0-9a-f]{12}-control/exec"
FILES = r"/containers/itbench-[0-9a-f]{12}-control/archive"
NO_SPACE = Answer(500, "mkdir /var/lib/docker/overlay2/x: no space left on device")

# What happens, and the causes for which the attempt is then tried again, in an environment made anew.
PASSING: dict[str, tuple[str, str, Action, int, list[str]]] = {
    "an error for a network": ("POST", "/networks/create", Answer(500, "an error"), 1, ["engine"]),
    "an error for a container": ("POST", HOST, Answer(500, "an error"), 1, ["engine"]),
    "an error for a start": ("POST", START, Answer(500, "an error"), 1, ["engine"]),
    "a full disk for a moment": ("POST", HOST, NO_SPACE, 1, ["disk full"]),
    "an image that is gone": ("POST", HOST, Answer(404, "No such image: itbench/host:x"), 1, ["image gone"]),
    "a name that is taken": ("POST", HOST, Answer(409, 'The name "/x" is already in use'), 1, ["name taken"]),
    "a port that is taken": ("POST", START, Answer(500, "port is already allocated"), 1, ["port taken"]),
    "a subnet that is taken": ("POST", "/networks/create", Answer(403, "Pool overlaps with other one"), 3, []),
    "no addresses left": (
        "POST",
        "/networks/create",
        Answer(500, "could not find an available, non-overlapping IPv4 address pool"),
        1,
        ["no addresses"],
    ),
    "no process for a moment": ("POST", EXEC, Answer(500, "fork/exec: resource temporarily unavailable"), 1, []),
    "a dropped request": ("POST", HOST, Drop(), 1, ["engine down"]),
    "a dropped answer": ("POST", HOST, Drop(passed_on=True), 1, ["engine down"]),
    "a shell that is not let in once": ("POST", EXEC, Drop(), 1, []),
    "files refused once": ("PUT", FILES, Answer(500, "an error"), 1, []),
    "a candidate that cannot be started": ("POST", APPLY, Answer(500, "an error"), 1, ["engine"]),
    "a slow engine": ("POST", ".", Delay(0.5), 8, []),
    "containers that cannot be removed": ("DELETE", "/containers/", Answer(500, "an error"), 2, []),
    "a network that cannot be removed": ("DELETE", "/networks/", Answer(500, "an error"), 1, []),
}


@pytest.fixture
def proxy(lab: Lab) -> Iterator[EngineProxy]:
    """Stands between the lab's runs and the engine."""
    assert lab.run(run="warm") == 0, lab.log("warm")
    with EngineProxy() as proxy:
        lab.variables["DOCKER_HOST"] = proxy.url
        yield proxy


@pytest.mark.parametrize("fault", PASSING)
def test_trouble_that_passes(lab: Lab, proxy: EngineProxy, fault: str) -> None:
    """The attempt is solved; each try that trouble ended is kept with its cause."""
    method, path, action, times, causes = PASSING[fault]
    rule, run = Rule(method, path, action, times), f"r{secrets.token_hex(4)}"
    proxy.add(rule)
    assert lab.run(run=run) == 0, lab.log(run)
    assert describe(lab.outcome(run)) == ("solved", causes), lab.log(run)
    assert proxy.hits[rule] == times
    assert list_left(run) == []


@pytest.mark.parametrize(
    ("answer", "cause", "hint"),
    [
        (Answer(500, "an error of its own"), "engine", "see the engine's own log"),
        (NO_SPACE, "disk full", "docker system prune"),
    ],
)
def test_trouble_that_does_not_pass(lab: Lab, proxy: EngineProxy, answer: Answer, cause: str, hint: str) -> None:
    """The attempt is invalid, with every try and a hint; the other model's misses and the exit status stay right."""
    run = f"r{secrets.token_hex(4)}"
    proxy.add(Rule("POST", HOST, answer))
    assert lab.run(run=run) == 1
    outcome = lab.outcome(run)
    assert (outcome["verdict"], outcome["kind"]) == ("invalid", "engine")
    assert {each["cause"] for each in outcome["tries"]} == {cause}
    assert hint in outcome["hint"]
    assert answer.message in outcome["message"]
    assert hint in " ".join(lab.log(run).split())
    assert list_left(run) == []


def test_an_application_that_is_cut_off(lab: Lab, proxy: EngineProxy) -> None:
    """A connection that ends in the middle of the candidate's output is no miss."""
    run = f"r{secrets.token_hex(4)}"
    proxy.add(Rule("POST", "/exec/[0-9a-f]+/start", Cut(30), 40))
    status = lab.run(run=run)
    outcome = lab.outcome(run)
    assert outcome["verdict"] != "missed", outcome
    assert status == (0 if outcome["verdict"] == "solved" else 1)
    assert list_left(run) == []
