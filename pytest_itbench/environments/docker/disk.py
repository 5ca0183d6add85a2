"""Ends machines that write more to their disk than they may, where the engine itself cannot bound it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from docker.errors import DockerException

from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.errors import EngineTrouble

LOG = logging.getLogger(__name__)
INTERVAL = 0.5
FAR_INTERVAL = 5.0
"""Seconds between looks at an engine of this machine, whose free disk costs nothing to see, and of another."""
NOTICED = 128 * 1024**2
"""Bytes that must be gone before sizes are asked for, which makes the engine walk through all files."""
QUOTA_DRIVERS = ("btrfs", "zfs")


class DiskWatch:
    """Watches the machines of this process on one engine, in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._limits: dict[str, int] = {}
        self._over: dict[str, str] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, container: str, limit: int) -> None:
        """Watch a machine from now on; `limit` in bytes."""
        with self._changed:
            self._limits[container] = limit
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="itbench-disk", daemon=True)
                self._thread.start()

    def forget(self, container: str) -> None:
        """Watch it no more."""
        with self._changed:
            self._limits.pop(container, None)
            self._over.pop(container, None)

    def find_excess(self, container: str) -> str:
        """What a machine wrote too much; empty when it did not."""
        with self._changed:
            return self._over.get(container, "")

    def _watch(self) -> None:
        place = self._find_place()
        most, looked = 0, 0.0
        while True:
            with self._changed:
                while not self._limits:
                    self._changed.wait()
            free = _find_free(place)
            if place is None or free < most - NOTICED or time.monotonic() > looked + FAR_INTERVAL:
                self._look()
                most, looked = free, time.monotonic()
            most = max(most, free)
            time.sleep(INTERVAL if place else FAR_INTERVAL)

    def _find_place(self) -> Path | None:
        place = Path(str(self._engine.about.get("DockerRootDir") or "/"))
        return place if self._engine.is_local and place.exists() else None

    def _look(self) -> None:
        with self._changed:
            limits = dict(self._limits)
        try:
            sizes = find_sizes(self._engine, limits)
        except EngineTrouble as trouble:
            LOG.debug("%s", trouble)
            return
        for container, size in sizes.items():
            if size > limits[container]:
                self._end(container, size, limits[container])

    def _end(self, container: str, size: int, limit: int) -> None:
        text = f"{size / 1024**2:.0f} MiB on its disk, of {limit / 1024**2:.0f} MiB"
        with self._changed:
            self._over.setdefault(container, text)
        with suppress(DockerException, OSError):  # it may be gone already
            self._engine.api.kill(container)


def _find_free(place: Path | None) -> int:
    if place is None:
        return 0
    seen = os.statvfs(place)
    return seen.f_bavail * seen.f_frsize


def find_sizes(engine: Engine, containers: Mapping[str, object]) -> dict[str, int]:
    """Bytes that running containers wrote to their own layers.

    Raises:
        EngineTrouble
    """
    with engine.errors("asking for the sizes of containers"):
        found = engine.api.containers(size=True, filters={"name": list(containers)})
    sizes = {each["Names"][0].lstrip("/"): int(each.get("SizeRw") or 0) for each in found}
    return {name: size for name, size in sizes.items() if name in containers}


def has_quota(engine: Engine) -> bool:
    """Whether the engine bounds a container's disk by itself."""
    backing = dict(engine.about.get("DriverStatus") or ()).get("Backing Filesystem", "")
    return engine.about.get("Driver") in QUOTA_DRIVERS or backing == "xfs"
