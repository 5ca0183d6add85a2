"""Who owns what a run leaves on the engine, and whether that process is still there."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path


def describe_owner() -> str:
    """This process as ``place/pid/start``; a place is what has process ids of its own."""
    return f"{_find_place()}/{os.getpid()}/{_find_start(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Whether the owner was a process of this place that is no more; False whenever that cannot be told.

    An owner may go on with a further ``/`` and what it is that the process has.
    """
    place, pid, start = (*owner.split("/"), "", "")[:3]
    if place != _find_place() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives, under another user
        return False
    return _find_start(int(pid)) != start  # the id was given to another process


def _find_place() -> str:
    """Host, boot and, on Linux, namespace of process ids: containers that share an engine must not judge each other."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts += [Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]]
        parts += [str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")]
    return "_".join(parts)


def _find_start(pid: int) -> str:
    """When a process was started, in clock ticks since boot; 0 where that cannot be told."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "0"
