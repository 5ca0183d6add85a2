"""Attempts at a two-task scenario, against the same docker and ansible commands in a shell script.

Both run two attempts at a time, from the same images, with the same checks before and after the candidate, and leave
nothing behind.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.result import Result, time_command
from pytest_itbench.domain.scenario import Host
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.image_store import ImageStore
from pytest_itbench.runner import find_cache

ATTEMPTS = 20
AT_ONCE = 2
TARGET = 1.15
SETUP_ATTEMPTS = 10
SETUP_TARGET = 0.5
FIRST_TARGET = 4.0
TIMES = 3

SCENARIO = """
title: Two tasks
domain: file-management
difficulty: easy
hosts: {web: {}}
"""
SETUP = "setup: [{script: setup.sh}]\n"
SETUP_SCRIPT = "#!/bin/sh\n# {mark}\nsleep 10\necho set up >/etc/set-up\n"
PROMPT = "".join(f"{{% block level_{n} %}}Write /etc/notice.{{% endblock %}}" for n in (1, 2, 3))
VALIDATOR = """
def check_notice(web):
    assert web.file("/etc/notice").content_string == "hello\\n"
def check_mode(web):
    assert web.file("/etc/notice").mode == 0o600
"""
PLAYBOOK = """
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - ansible.builtin.copy: {content: "hello\\n", dest: /etc/notice}
    - ansible.builtin.file: {path: /etc/notice, mode: "0600"}
"""
BY_HAND = """#!/bin/sh
# One attempt by hand: $1 is its name.
set -eu
bounds="--init --memory 512m --memory-swap 512m --pids-limit 512"
docker network create --internal "$1" >/dev/null
docker run -d $bounds --cpus 1 --name "$1-web" --hostname web --network "$1" --network-alias web \
  -v "$PWD/key.pub:/home/ops/.ssh/authorized_keys:ro" HOST \
  sh -c 'mkdir -p /run/sshd; /usr/sbin/sshd; exec sleep infinity' >/dev/null
docker create $bounds --cpus 2 --cap-drop ALL --security-opt no-new-privileges --name "$1-control" --network "$1" \
  CONTROL sleep infinity >/dev/null
docker cp -q key "$1-control:/home/ops/.ssh/id_ed25519"
docker cp -q hosts.yml "$1-control:/etc/ansible/hosts.yml"
docker start "$1-control" >/dev/null
SETUP
! docker exec "$1-web" sh -c 'grep -qx hello /etc/notice && test "$(stat -c %a /etc/notice)" = 600' 2>/dev/null
docker cp -q playbook.yml "$1-control:/home/ops/work/playbook.yml"
docker exec -u ops "$1-control" ansible-playbook playbook.yml >/dev/null
docker exec "$1-web" sh -c 'grep -qx hello /etc/notice && test "$(stat -c %a /etc/notice)" = 600'
docker rm -f "$1-web" "$1-control" >/dev/null
docker network rm "$1" >/dev/null
"""
PYTEST = (sys.executable, "-m", "pytest", "two-tasks", "--itbench-model=oracle", "-q", "-p", "no:cacheprovider")


def measure() -> Result:
    """Twenty attempts, both ways, one after the other."""
    with tempfile.TemporaryDirectory(prefix="itbench-") as name:
        place = Path(name)
        write_scenario(place / "two-tasks")
        write_script(place)
        time_command([*PYTEST, "--itbench-run=warm"], place)
        by_hand = time_by_hand(place, ATTEMPTS)
        ours = time_command([*PYTEST, f"--itbench-attempts={ATTEMPTS}", f"-n{AT_ONCE}"], place)
    return describe(ours, by_hand, TARGET)


def measure_setup() -> Result:
    """Ten attempts at a scenario whose setup takes ten seconds and was never done before."""
    with tempfile.TemporaryDirectory(prefix="itbench-") as name:
        place = Path(name)
        write_scenario(place / "two-tasks", SETUP)
        setup = SETUP_SCRIPT.format(mark=secrets.token_hex(8))
        (place / "two-tasks" / "setup.sh").write_text(setup)
        write_script(place, 'docker exec -i "$1-web" sh <two-tasks/setup.sh')
        by_hand = time_by_hand(place, SETUP_ATTEMPTS)
        ours = time_command([*PYTEST, f"--itbench-attempts={SETUP_ATTEMPTS}", f"-n{AT_ONCE}"], place)
    return describe(ours, by_hand, SETUP_TARGET)


def measure_first_verdict() -> Result:
    """The whole of a run of one attempt, images and checkpoint being there."""
    with tempfile.TemporaryDirectory(prefix="itbench-") as name:
        place = Path(name)
        write_scenario(place / "two-tasks")
        time_command([*PYTEST, "--itbench-run=warm"], place)
        seconds = min(time_command([*PYTEST, f"--itbench-run=r{number}"], place) for number in range(TIMES))
    text = f"{seconds:.1f} s from the command to its end, best of {TIMES} (target: {FIRST_TARGET:g})"
    return Result(met=seconds <= FIRST_TARGET, text=text)


def time_by_hand(place: Path, attempts: int) -> float:
    """Seconds that the script takes."""
    command = f"seq {attempts} | xargs -P {AT_ONCE} -I@ ./attempt itbench-hand-{os.getpid()}-@"
    return time_command(["sh", "-c", command], place)


def describe(ours: float, by_hand: float, target: float) -> Result:
    """The ratio."""
    ratio = ours / by_hand
    text = f"{ours:.1f} s, by hand {by_hand:.1f} s: {ratio:.2f} times (target: {target})"
    return Result(met=ratio <= target, text=text)


def write_scenario(directory: Path, more: str = "") -> None:
    """The scenario of the plugin's side."""
    (directory / "solution").mkdir(parents=True)
    for file, text in (
        ("scenario.yaml", SCENARIO + more),
        ("prompt.md.j2", PROMPT),
        ("validate.py", VALIDATOR),
        ("solution/playbook.yml", PLAYBOOK),
    ):
        (directory / file).write_text(text)


def write_script(place: Path, setup: str = ":") -> None:
    """The shell script, its key, inventory and playbook."""
    images = ImageStore(Engine(), find_cache())
    script = (
        BY_HAND.replace("SETUP", setup)
        .replace("HOST", images.host_image(Host(name="web")))
        .replace("CONTROL", images.control_image())
    )
    (place / "attempt").write_text(script)
    (place / "attempt").chmod(0o755)
    (place / "playbook.yml").write_text(PLAYBOOK)
    (place / "hosts.yml").write_text("all: {hosts: {web: {}}}\n")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / "key")], check=True)
    os.chown(place / "key", 1000, 1000)
    os.chown(place / "key.pub", 0, 0)
