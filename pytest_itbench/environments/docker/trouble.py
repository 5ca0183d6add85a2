"""What kind of trouble an engine has, by what it says, and what helps; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Kinds of trouble with an engine."""

    DOWN = "engine down"
    SLOW = "engine slow"
    RESTARTED = "engine restarted"
    FORBIDDEN = "engine forbids"
    DISK_FULL = "disk full"
    MEMORY = "no memory"
    PROCESSES = "no processes"
    ADDRESS_TAKEN = "address taken"
    NO_ADDRESSES = "no addresses"
    PORT_TAKEN = "port taken"
    NAME_TAKEN = "name taken"
    IMAGE_GONE = "image gone"
    MACHINE_GONE = "machine gone"
    REFUSED = "refused"
    OTHER = "engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What helps.

    Attributes:
        retries: how often an attempt is made again for this cause.
        pause: seconds to wait before.
        hint: what a person can do when that did not help.
    """

    retries: int = 1
    pause: float = 0.0
    hint: str = ""


REMEDIES = {
    Cause.DOWN: Remedy(retries=10, pause=4.0, hint="start it, or set DOCKER_HOST; see: pytest-itbench doctor"),
    Cause.SLOW: Remedy(retries=2, pause=5.0, hint="is its machine overloaded? Fewer at once: --itbench-capacity"),
    Cause.RESTARTED: Remedy(retries=2, pause=2.0, hint="somebody restarted the container engine during the run"),
    Cause.FORBIDDEN: Remedy(retries=0, hint="may your user use the engine's socket? See: pytest-itbench doctor"),
    Cause.DISK_FULL: Remedy(retries=2, pause=5.0, hint="free some: docker system prune; pytest-itbench reap"),
    Cause.MEMORY: Remedy(retries=2, pause=5.0, hint="fewer at once: --itbench-capacity=memory=…"),
    Cause.PROCESSES: Remedy(retries=2, pause=5.0, hint="fewer at once: --itbench-capacity=pids=…"),
    Cause.ADDRESS_TAKEN: Remedy(retries=3, hint="name addresses that nobody uses: --itbench-network-pool"),
    Cause.NO_ADDRESSES: Remedy(retries=2, pause=5.0, hint="name more addresses: --itbench-network-pool"),
    Cause.PORT_TAKEN: Remedy(retries=1, pause=2.0, hint="something else listens there"),
    Cause.NAME_TAKEN: Remedy(retries=2, hint="remove what has that name: pytest-itbench reap"),
    Cause.IMAGE_GONE: Remedy(retries=2, hint="somebody removes images while the run goes on"),
    Cause.MACHINE_GONE: Remedy(retries=2, hint="somebody removes or stops the run's containers"),
    Cause.REFUSED: Remedy(retries=0, hint="the engine does not offer what is needed; see: pytest-itbench doctor"),
    Cause.OTHER: Remedy(retries=1, pause=1.0, hint="see the engine's own log"),
}

# The first that is found counts. They stand from the particular to the general.
PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), cause)
    for pattern, cause in (
        (r"no space left on device|disk quota exceeded|not enough space", Cause.DISK_FULL),
        (r"cannot allocate memory|out of memory", Cause.MEMORY),
        (r"resource temporarily unavailable|can't start new thread|fork/exec|pthread_create", Cause.PROCESSES),
        (r"pool overlaps|overlaps with other one|address already in use.*subnet", Cause.ADDRESS_TAKEN),
        (r"non-overlapping ipv4 address pool|no available ipv4|address pools have been fully", Cause.NO_ADDRESSES),
        (r"port is already allocated|bind: address already in use|address already in use", Cause.PORT_TAKEN),
        (r"name .* is already in use|already exists", Cause.NAME_TAKEN),
        (r"no such image|manifest .*unknown|image .* not known|unable to find image", Cause.IMAGE_GONE),
        (r"no such (container|network|exec)|no container with|is not running|container .* is dead", Cause.MACHINE_GONE),
        (r"permission denied", Cause.FORBIDDEN),
        (r"timed out|deadline exceeded|timeout", Cause.SLOW),
        (r"connection (refused|reset|aborted)|broken pipe|remote end closed|closed network connection", Cause.DOWN),
        (r"no such file or directory: .*sock|no such file or directory$|docker daemon running", Cause.DOWN),
        (r"server misbehaving|shutting down|transport is closing", Cause.DOWN),
    )
)
CLIENT_ERRORS = range(400, 500)


def find_cause(message: str, status: int | None = None) -> Cause:
    """The kind of trouble.

    Args:
        message: what the engine or the connection to it said.
        status: the HTTP status of an answer; None when there was none.
    """
    for pattern, cause in PATTERNS:
        if pattern.search(message):
            return cause
    if status is None:
        return Cause.DOWN
    return Cause.REFUSED if status in CLIENT_ERRORS else Cause.OTHER
