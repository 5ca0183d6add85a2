"""A scenario's hosts as they are once they are set up, kept as images from which every attempt starts.

A container's image holds its files and nothing else. Steps are kept up to the first that leaves something else behind:
processes, mounts, addresses, rules, files that the engine itself puts into containers. Those and what follows are done
for each attempt.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from docker.errors import ImageNotFound

from pytest_itbench.domain.scenario import Scenario, Step
from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.environments.docker.image_store import ImageStore
from pytest_itbench.environments.docker.probe import MOUNT
from pytest_itbench.whole_file import write_json

FORMAT = 1
"""Raised when checkpoints of earlier versions must not be used any more."""
STEPS = f"{LABEL}.steps"
BOOT_LIST = "/.itbench-boot"
LOOKS = 12
"""How often what a step started is looked at until it has ended; by then it stays. Seconds would say less: on a busy
machine one look takes as long as what it waits for."""
PAUSE = 0.25
TRIES = 2
"""How often a step must leave more than files until that is believed."""

# The processes but those of the validators' shell and of ssh connections, which every attempt makes anew.
PROCESSES = f"""
for place in /proc/[0-9]*; do
  words= state= uid=
  while IFS= read -r -d '' word; do words="$words $word"; done 2>/dev/null <$place/cmdline
  while read -r key value _; do
    case $key in State:) state=$value;; Uid:) uid=$value;; esac
  done 2>/dev/null <$place/status
  case "$state$words" in Z*|*' sshd: '*|'') continue;; esac
  case "$words" in ' {MOUNT}/sh -c '*|' timeout -k 1 '*' {MOUNT}/sh -c '*) continue;; esac
  @DO@
done
"""
# Processes are listed by their numbers as text, and numbers tell nothing.
VOLATILE = (
    "{"
    + PROCESSES.replace("@DO@", 'echo "process $uid$words"')
    + "} | sort"
    + r"""
sed 's/^/mount /' /proc/mounts
cat /proc/net/route /proc/net/fib_trie /proc/net/if_inet6 2>/dev/null
cat /proc/sys/kernel/hostname
md5sum /etc/hosts /etc/resolv.conf /etc/hostname
find /run /dev/shm ! -path '/run/sudo*' ! -path '/run/utmp' ! -path '/run/itbench*' -print
{ iptables-save; ip6tables-save; nft list ruleset; } 2>/dev/null | grep -v '^#'
"""
)
# As at a machine's end: what runs is ended, and what a machine loses when it is switched off is gone.
POWER_OFF = (
    "end() {\n"
    + PROCESSES.replace(
        "@DO@", 'case "$place$words" in /proc/1\\ *|*" sleep infinity") ;; *) kill $1 ${place#/proc/}; echo left;; esac'
    )
    + f"""}}
tries=0
while [ $tries -lt 40 ] && [ -n "$(end -TERM 2>/dev/null)" ]; do sleep 0.25; tries=$((tries + 1)); done
end -KILL >/dev/null 2>&1
find /run ! -type d | while IFS= read -r path; do grep -qxF "$path" {BOOT_LIST} || rm -f "$path"; done
rm -f {BOOT_LIST} /home/ops/.ssh/authorized_keys
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """From where attempts start: an image for each host, and how many of the scenario's steps are done in them."""

    images: Mapping[str, str]
    done: int = 0


class Recorder(Protocol):
    """Hosts on which steps are done to be kept; a context in which they run."""

    def start(self) -> None:
        """Start the hosts."""

    def run_step(self, step: Step) -> None:
        """Do a step."""

    def look(self, command: str) -> str:
        """What a command prints on all hosts together, by the validators' tools."""

    def find_container(self, host: str) -> str:
        """The host's container."""

    def stop(self) -> None:
        """Remove them."""


Record = Callable[[Start], Recorder]


class CheckpointStore:
    """Finds or makes checkpoints; processes wait for each other's."""

    def __init__(self, engine: Engine, images: ImageStore, cache: Path) -> None:
        self._engine, self._images, self._notes = engine, images, cache / "checkpoints"
        self._known: dict[str, Start] = {}

    def find_start(self, scenario: Scenario, record: Record) -> Start:
        """The scenario's checkpoint, made if there is none.

        Args:
            scenario: what is tried.
            record: makes hosts that start from given images.

        Raises:
            NotReady: a step failed.
            ImageTrouble, EngineTrouble
        """
        images = {host.name: self._images.host_image(host) for host in scenario.hosts}
        steps = find_steps(scenario)
        if not steps:
            return Start(images=images)
        key = hash_start(scenario, images, self._images.control_image())
        if key not in self._known or not self._is_here(self._known[key]):
            with self._images.locked(f"checkpoint-{key}"):
                self._known[key] = self._find(key, images) or self._make(key, scenario, steps, images, record)
        return self._known[key]

    def _is_here(self, start: Start) -> bool:
        return all(self._images.is_here(image) for image in start.images.values())

    def _find(self, key: str, images: Mapping[str, str]) -> Start | None:
        if self._note(key).exists():
            return Start(images=images)
        kept = {host: name_checkpoint(key, host) for host in images}
        done = [self._read_steps(image) for image in kept.values()]
        return Start(images=kept, done=done[0] or 0) if all(done) else None

    def _note(self, key: str) -> Path:
        return self._notes / f"{key}.none"

    def _read_steps(self, image: str) -> int | None:
        with self._engine.errors(f"looking for image {image}"):
            try:
                labels: dict[str, str] = self._engine.client.images.get(image).labels
            except ImageNotFound:
                return None
            return int(labels.get(STEPS, "0"))

    def _make(
        self, key: str, scenario: Scenario, steps: Sequence[Step], images: Mapping[str, str], record: Record
    ) -> Start:
        count, left = (0, ["volumes"]) if self._has_volumes(images) else (len(steps), [])
        while count:
            kept = 0
            for _ in range(TRIES):
                recorder = record(Start(images=images))
                try:
                    recorder.start()
                    clean, left = count_clean(recorder, steps[:count])
                    if clean == count:
                        return self._keep(key, scenario, recorder, images, count)
                finally:
                    recorder.stop()
                kept = max(kept, clean)
            count = kept
        write_json(self._note(key), {"scenario": scenario.id, "step": str(steps[0].path), "left": left})
        return Start(images=images)

    def _has_volumes(self, images: Mapping[str, str]) -> bool:
        """Whether an image keeps files outside of its containers, where they would not be kept."""
        with self._engine.errors("looking at images"):
            return any(
                self._engine.client.images.get(image).attrs["Config"].get("Volumes") for image in images.values()
            )

    def _keep(self, key: str, scenario: Scenario, recorder: Recorder, images: Mapping[str, str], count: int) -> Start:
        recorder.look(POWER_OFF)
        labels = {LABEL: "checkpoint", STEPS: str(count), f"{LABEL}.scenario": scenario.id, f"{LABEL}.owner": ""}
        changes = [f"LABEL {name}={json.dumps(value)}" for name, value in labels.items()]
        kept = {host: name_checkpoint(key, host) for host in images}
        with self._engine.errors("keeping a checkpoint"):
            for host, name in kept.items():
                repository, _, tag = name.partition(":")
                self._engine.api.commit(recorder.find_container(host), repository, tag, changes=changes)
        return Start(images=kept, done=count)


def find_steps(scenario: Scenario) -> list[Step]:
    """The steps that may be kept: setup and trigger, up to the first that acts on running machines."""
    steps = []
    for step in (*scenario.setup, *scenario.trigger):
        if step.live:
            break
        steps.append(step)
    return steps


def count_clean(recorder: Recorder, steps: Sequence[Step]) -> tuple[int, list[str]]:
    """Do steps until one of them leaves more than files; gives how many came before it, and what that one changed."""
    before = settle(recorder)
    for number, step in enumerate(steps):
        recorder.run_step(step)
        after = settle(recorder, before)
        if after != before:
            return number, sorted(set(before.splitlines()) ^ set(after.splitlines()))
    return len(steps), []


def settle(recorder: Recorder, wanted: str = "") -> str:
    """What there is beside files, once it does not change any more or is as wanted."""
    seen = recorder.look(VOLATILE)
    for _ in range(LOOKS):
        if seen == wanted:
            break
        time.sleep(PAUSE)
        earlier, seen = seen, recorder.look(VOLATILE)
        if seen == earlier and not wanted:
            break
    return seen


def name_checkpoint(key: str, host: str) -> str:
    """An image's name."""
    return f"itbench/checkpoint:{key}-{host}"


def hash_start(scenario: Scenario, images: Mapping[str, str], control: str) -> str:
    """The identity of what attempts start from: images, hosts, and the content of the steps."""
    digest = hashlib.sha256()
    for host in scenario.hosts:
        facts: list[Any] = [host.name, images[host.name], host.groups, host.start, host.environment, host.capabilities]
        digest.update(json.dumps(facts).encode())
    for step in find_steps(scenario):
        digest.update(json.dumps([step.kind, step.path.name, step.hosts]).encode() + step.path.read_bytes())
    digest.update(json.dumps([FORMAT, control, PROCESSES]).encode())
    return digest.hexdigest()[:16]
