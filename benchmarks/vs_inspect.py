"""Twenty attempts at a two-task scenario, against Inspect AI's docker sandbox on the same images.

Both run two attempts at a time without a model, with the same checks before and after the candidate, and leave nothing
behind but Inspect's own environment. Target: at least 1.8 times as fast as Inspect.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.attempt_overhead import AT_ONCE, ATTEMPTS, PLAYBOOK, write_scenario
from benchmarks.result import Result, time_command
from pytest_itbench.domain.scenario import Host
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.image_store import ImageStore
from pytest_itbench.runner import find_cache

TARGET = 1.8
# The last release that takes an engine before 24.0.6 if the docker command is newer. The latest at the time of writing
# (0.3.285) refuses such an engine; with that check switched off it was a little slower.
INSPECT = "0.3.259"
# What it needs of docker's commands.
NEEDS = (
    (("docker", "version", "--format={{.Client.Version}}"), "a docker command", (24, 0, 6)),
    (("docker", "compose", "version", "--short"), "docker compose", (2, 21, 0)),
)

# - Images by name and x-local, no build: none is built or pulled.
# - Init: containers end at once when asked to, not after a grace period of ten seconds.
# - No healthcheck, whose interval would be waited for: the first check waits for sshd.
COMPOSE = """
services:
  default:
    image: {control}
    x-local: true
    init: true
    command: sleep infinity
    cap_drop: [ALL]
    security_opt: [no-new-privileges]
    mem_limit: 512m
    memswap_limit: 512m
    pids_limit: 512
    cpus: 2
  web:
    image: {host}
    x-local: true
    init: true
    hostname: web
    command: [sh, -c, "mkdir -p /run/sshd; /usr/sbin/sshd; exec sleep infinity"]
    mem_limit: 512m
    memswap_limit: 512m
    pids_limit: 512
    cpus: 1
networks:
  default:
    internal: true
"""
# - Keys as files of the sample, as Inspect's documentation has it. Mounts would be faster by some 0.7 s an attempt, but
#   they would be the same for all attempts, and later releases refuse them on older engines.
# - An inventory without a file, the key's mode set on the way, one command for each round of checks, as in a shell
#   script: each command more would cost 0.15 s.
# - As many samples, sandboxes and commands at once as needed, whatever the number of processors suggests to Inspect.
# - No display; logs, and Inspect's own traces, in a directory that is thrown away; samples logged at their end only.
TASK = r"""
import os
import sys
from pathlib import Path

os.environ["XDG_DATA_HOME"] = str(Path("data").resolve())

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, accuracy, scorer
from inspect_ai.solver import solver
from inspect_ai.util import sandbox

FILES = {"/home/ops/.ssh/id_ed25519": "key", "web:/home/ops/.ssh/authorized_keys": "key.pub"}
AWAIT = 'until cat /proc/net/tcp /proc/net/tcp6 | grep -q ":0016 .* 0A "; do sleep 0.02; done; '
CHECK = 'grep -qx hello /etc/notice && test "$(stat -c %a /etc/notice)" = 600'
APPLY = "chmod 600 ~/.ssh/id_ed25519 && ansible-playbook -i web, playbook.yml"
attempts, at_once = map(int, sys.argv[1:])

@solver
def try_candidate():
    async def solve(state, generate):
        if (await sandbox("web").exec(["sh", "-c", AWAIT + CHECK], timeout=20)).success:
            raise RuntimeError("the checks pass before the candidate")
        await sandbox().write_file("playbook.yml", Path("playbook.yml").read_text())
        done = await sandbox().exec(["sh", "-c", APPLY])
        if not done.success:
            raise RuntimeError(done.stdout + done.stderr)
        return state
    return solve

@scorer(metrics=[accuracy()])
def check():
    async def score(state, target):
        return Score(value=int((await sandbox("web").exec(["sh", "-c", CHECK])).success))
    return score

task = Task(name="two-tasks", dataset=[Sample("Write /etc/notice.", files=FILES)], solver=try_candidate(),
    scorer=check(), sandbox=("docker", "compose.yaml"))
[log] = eval(task, model="mockllm/model", epochs=attempts, max_samples=at_once, max_sandboxes=at_once,
    max_subprocesses=2 * at_once, display="none", log_dir="logs", log_realtime=False)
solved = [sample.scores["check"].value for sample in log.samples or [] if sample.scores]
if solved != [1] * attempts:
    sys.exit(f"{log.status}, {solved}: {log.error.message if log.error else ''}")
"""


def measure() -> Result:
    """Both, one after the other, in one run; skipped where Inspect's sandbox cannot run."""
    if obstacle := find_obstacle():
        return Result(met=True, text=f"skipped: {obstacle}")
    inspect = [str(ensure_inspect()), "task.py"]
    pytest = [sys.executable, "-m", "pytest", "two-tasks", "--itbench-model=oracle", "-q", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory(prefix="itbench-") as name:
        place = Path(name)
        write_scenario(place / "two-tasks")
        write_task(place)
        # One attempt each first, for what is made only once: images, compiled modules.
        time_command([*pytest, "--itbench-run=warm"], place)
        time_command([*inspect, "1", "1"], place)
        theirs = time_command([*inspect, str(ATTEMPTS), str(AT_ONCE)], place)
        ours = time_command([*pytest, f"--itbench-attempts={ATTEMPTS}", f"-n{AT_ONCE}"], place)
    ratio = theirs / ours
    text = f"{ours:.1f} s, Inspect {INSPECT} {theirs:.1f} s: {ratio:.2f} times as fast (target: {TARGET})"
    return Result(met=ratio >= TARGET, text=text)


def find_obstacle() -> str:
    """Why Inspect's docker sandbox cannot run here, or nothing."""
    if not shutil.which("docker"):
        return "there is no docker command"
    for command, what, needed in NEEDS:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout)
        if not found or tuple(map(int, found.groups())) < needed:
            said = (done.stdout + done.stderr).strip().partition("\n")[0]
            return f"needs {what} of version {'.'.join(map(str, needed))}, which is not here ({said})"
    return ""


def ensure_inspect() -> Path:
    """The Python of an environment with Inspect, made once for this user."""
    place = find_cache() / f"inspect-{INSPECT}"
    if not place.exists():
        new = place.with_name(f"{place.name}.new")
        new.parent.mkdir(parents=True, exist_ok=True)
        time_command([sys.executable, "-m", "venv", "--clear", new], new.parent)
        time_command([new / "bin" / "pip", "install", f"inspect-ai=={INSPECT}"], new.parent)
        new.rename(place)  # scripts of a venv break when it is moved; only its Python is used
    return place / "bin" / "python"


def write_task(place: Path) -> None:
    """Inspect's task, its compose file, the candidate and the keys."""
    images = ImageStore(Engine(), find_cache())
    compose = COMPOSE.format(host=images.host_image(Host(name="web")), control=images.control_image())
    for file, text in (("compose.yaml", compose), ("task.py", TASK), ("playbook.yml", PLAYBOOK)):
        (place / file).write_text(text)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / "key")], check=True)
