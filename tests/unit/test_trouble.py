"""What engines say, and whose doing trouble is: tables of cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_itbench.environments.docker.blame import STOPPED, Blame, Evidence, Sign, blame
from pytest_itbench.environments.docker.engine import make_trouble
from pytest_itbench.environments.docker.trouble import REMEDIES, Cause, find_cause

SAID = {
    Cause.DOWN: (
        (None, "[Errno 2] No such file or directory"),
        (None, "[Errno 111] Connection refused"),
        (None, "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"),
        (None, "[Errno 32] Broken pipe"),
        (None, "something that nobody has heard of, without an answer"),
        (500, "rpc error: code = Unavailable desc = transport is closing"),
    ),
    Cause.SLOW: (
        (None, "UnixHTTPConnectionPool(host='localhost', port=None): Read timed out. (read timeout=120)"),
        (500, "context deadline exceeded"),
    ),
    Cause.FORBIDDEN: ((None, "[Errno 13] Permission denied"),),
    Cause.DISK_FULL: (
        (500, "mkdir /var/lib/docker/overlay2/abc: no space left on device"),
        (500, "write /var/lib/docker/tmp/x: disk quota exceeded"),
    ),
    Cause.MEMORY: ((500, "OCI runtime create failed: fork/exec /proc/self/exe: cannot allocate memory"),),
    Cause.PROCESSES: ((500, "OCI runtime exec failed: read init-p: fork/exec: resource temporarily unavailable"),),
    Cause.ADDRESS_TAKEN: ((403, "Pool overlaps with other one on this address space"),),
    Cause.NO_ADDRESSES: ((404, "could not find an available, non-overlapping IPv4 address pool among the defaults"),),
    Cause.PORT_TAKEN: ((500, "driver failed programming: Bind for 0.0.0.0:80 failed: port is already allocated"),),
    Cause.NAME_TAKEN: (
        (409, 'Conflict. The container name "/x" is already in use by container "abc".'),
        (409, "network with name x already exists"),
    ),
    Cause.IMAGE_GONE: ((404, "No such image: itbench/host:abc"), (404, "manifest for x:y not found: manifest unknown")),
    Cause.MACHINE_GONE: ((404, "No such container: x"), (409, "Container abc is not running")),
    Cause.REFUSED: ((400, "invalid CapAdd: unknown capability"),),
    Cause.OTHER: ((500, "an error of the engine's own"),),
}


@pytest.mark.parametrize(
    ("cause", "status", "text"), [(cause, *said) for cause, every in SAID.items() for said in every]
)
def test_causes(cause: Cause, status: int | None, text: str) -> None:
    """The same words mean the same trouble, whoever says them."""
    assert find_cause(text, status) is cause


def test_every_cause_has_a_remedy() -> None:
    """With a hint for when it did not help; trouble carries it."""
    assert set(REMEDIES) == set(Cause)
    assert all(remedy.hint for remedy in REMEDIES.values())
    trouble = make_trouble("x", Cause.DISK_FULL)
    assert (trouble.cause, trouble.retries, trouble.pause > 0) == ("disk full", 2, True)


SOUND = Evidence(sign=Sign.CUT, applied=True)
CASES: dict[str, tuple[dict[str, Any], Cause | str]] = {
    "the engine does not answer": ({"answers": False}, Cause.DOWN),
    "not even when the disk is over": ({"answers": False, "over_limit": "x"}, Cause.DOWN),
    "it wrote too much": ({"over_limit": "9 MiB"}, "used more than it may: 9 MiB"),
    "it wrote too much and was ended for it": (
        {"over_limit": "9 MiB", "running": False},
        "used more than it may: 9 MiB",
    ),
    "somebody removed it": ({"exists": False, "running": False}, Cause.MACHINE_GONE),
    "the engine was started anew": ({"restarted": True, "running": False}, Cause.RESTARTED),
    "it stopped, and nothing else did": ({"running": False}, STOPPED),
    "it stopped before any candidate": ({"running": False, "applied": False}, STOPPED),
    "a signal ended the shell": ({"sign": Sign.KILLED}, "ends the validators' commands"),
    "a signal, but no candidate yet": ({"sign": Sign.KILLED, "applied": False}, Cause.DOWN),
    "the connection was cut": ({"sign": Sign.CUT}, Cause.DOWN),
    "silent, and the engine is well": ({"sign": Sign.SILENT}, "does not let validators' commands answer"),
    "silent, and so is the engine": ({"sign": Sign.SILENT, "accepts": False}, Cause.DOWN),
    "refuses, and the engine is well": ({"sign": Sign.REFUSED}, "does not let validators in"),
    "refuses, and so does the engine": ({"sign": Sign.REFUSED, "accepts": False}, Cause.DOWN),
    "refuses before any candidate": ({"sign": Sign.REFUSED, "applied": False}, Cause.DOWN),
}


@pytest.mark.parametrize("case", CASES)
def test_whose_doing(case: str) -> None:
    """What a candidate could bring about is its own; what it could not is the engine's; a doubt is the engine's."""
    given, expected = CASES[case]
    finding = Blame(cause=expected) if isinstance(expected, Cause) else Blame(text=expected)
    assert blame(replace(SOUND, **given), Cause.DOWN) == finding
