"""What the machine of an engine has, and whether the engine can bound what runs there."""

from __future__ import annotations

import ipaddress
import socket
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_itbench.domain.capacity import Load
from pytest_itbench.environments.docker.engine import Engine, make_trouble
from pytest_itbench.environments.docker.trouble import Cause

Subnet = ipaddress.IPv4Network

LOOK = r"""
echo pid_max $(cat /proc/sys/kernel/pid_max)
echo threads_max $(cat /proc/sys/kernel/threads-max)
echo memory $(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
echo disk $(df -Pk "$0" | tail -n 1)
tail -n +2 /proc/net/route | while read -r _ to _ _ _ _ _ mask _; do echo route "$to" "$mask"; done
"""
MEMORY_SHARE, PIDS_SHARE = 0.9, 0.8
"""What of the free memory and of all process numbers environments may have."""
CPU_TIMES = 2
"""Machines wait for each other most of the time, so that this many times the processors keep them busy."""
DISK_LEFT = 2 * 1024**3
"""Bytes of disk that stay free."""
FREE_COLUMN = 4
NEEDED = {
    "MemoryLimit": "memory",
    "CpuCfsQuota": "processors",
    "PidsLimit": "the number of processes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was seen of an engine's machine.

    Attributes:
        capacity: what environments may use of it together.
        routes: the networks that it knows by itself or can reach by a route of their own.
        disk: bytes that are free where the engine keeps its containers.
    """

    capacity: Load
    routes: tuple[Subnet, ...]
    disk: int


def look_at(engine: Engine, find_image: Callable[[], str], given: Mapping[str, float]) -> Facts:
    """Look at the machine; on another machine than this one a container does the looking.

    Args:
        engine: whose machine it is.
        find_image: gives an image with a shell, if one is needed.
        given: amounts of the capacity that the user states.

    Raises:
        EngineTrouble: the engine fails, or cannot bound what runs there.
    """
    if problem := find_unfitness(engine.about):
        raise make_trouble(f"the container engine at {engine.name} cannot be used: {problem}", Cause.REFUSED)
    place = str(engine.about.get("DockerRootDir") or "/")
    if engine.is_local and Path(place).exists() and Path("/proc/net/route").exists():
        done = subprocess.run(["sh", "-c", LOOK, place], capture_output=True, text=True, check=False)
        text = done.stdout
    else:
        with engine.errors("looking at the engine's machine"):
            text = engine.run_aside(find_image(), ["sh", "-c", LOOK, "/"], network_mode="host", user="0:0")
    facts = read_facts(text, int(engine.about.get("NCPU") or 1))
    return replace(facts, capacity=replace(facts.capacity, **given))


def read_facts(text: str, processors: int) -> Facts:
    """Facts from what LOOK printed."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    numbers = {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].isdigit()}
    disk = next((int(line[FREE_COLUMN]) * 1024 for line in lines if line[0] == "disk" and len(line) > FREE_COLUMN), 0)
    routes = [_read_route(line[1], line[2]) for line in lines if line[0] == "route"]
    pids = min(numbers.get("pid_max", 32768), numbers.get("threads_max", 32768))
    capacity = Load(
        memory=numbers.get("memory", 0) * 1024 * MEMORY_SHARE,
        cpus=processors * CPU_TIMES,
        pids=int(pids * PIDS_SHARE),
        disk=max(0, disk - DISK_LEFT),
    )
    return Facts(capacity=capacity, routes=tuple(route for route in routes if route.prefixlen), disk=disk)


def _read_route(to: str, mask: str) -> Subnet:
    """A line of ``/proc/net/route``, which has addresses as numbers in the byte order of the machine."""
    address, bits = (socket.inet_ntoa(struct.pack("<L", int(text, 16))) for text in (to, mask))
    return Subnet(f"{address}/{bits}", strict=False)


def find_unfitness(about: Mapping[str, Any]) -> str:
    """Why the engine cannot hold hostile candidates; empty when it can."""
    if about.get("OSType", "linux") != "linux":
        return f"it runs containers of {about['OSType']}, not of Linux"
    rootless = bool(about.get("Rootless")) or any("rootless" in str(o) for o in about.get("SecurityOptions") or ())
    # Rootless Podman says that it bounds, and on cgroup v1 ignores every limit without a word.
    unbounded = rootless and str(about.get("CgroupVersion")) == "1"
    lacking = [what for name, what in NEEDED.items() if unbounded or about.get(name) is False]
    if not lacking:
        return ""
    why = "; a rootless engine needs cgroup v2 with delegated controllers" if rootless else ""
    return f"it cannot bound {' and '.join(lacking)}{why}"
