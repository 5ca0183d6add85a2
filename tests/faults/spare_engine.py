"""A second, private container engine that tests may kill, hang and fill up; the machine's own never notices.

It lives in namespaces of its own: mounts (with a /run and a disk of limited size), network (with its own iptables) and
processes. The first process in there reads a pipe from the test process. When that process ends, however it ends, the
pipe closes, the first process exits, and the kernel ends all others and takes the mounts and the loop device away.
What the kernel cannot know, a directory and empty cgroups, goes with the next engine that is made.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import secrets
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Self, cast

from filelock import FileLock

TOOLS = ("docker", "dockerd", "containerd", "runc", "iptables", "ip", "unshare", "mount", "losetup", "mkfs.ext4")
DISK_SIZE = 4 * 1024**3
TEMPLATES_KEPT = 3

_UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork")
_FORMAT = ("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1")
"""No reserved blocks, so that full means full for root too; no journal, which only a crashing kernel would miss."""

_SET_UP = """
set -e
read -r outer_pid rest </proc/self/stat
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
[ ! -d /etc/docker ] || mount -t tmpfs tmpfs /etc/docker
mount -o loop,discard,noinit_itable "$1/disk" "$1/data"
ip link set lo up
echo "$outer_pid"
exec "$2" -I -S -c "$3"
"""

# Ignoring SIGCHLD makes the kernel take away its children, orphans among them. They start with Python's changes undone.
_FIRST_PROCESS = """
import json, os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
streams = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, 2, 1)]
usual = [signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ]
for line in sys.stdin:
    words = json.loads(line)
    print(os.posix_spawnp(words[0], words, os.environ, file_actions=streams, setsigdef=usual), flush=True)
"""


@cache
def why_not() -> str:
    """The reason why no spare engine can be had on this machine; empty when it can."""
    if os.geteuid() != 0:
        return "only root can start a second engine"
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        return f"not installed: {', '.join(missing)}"
    if not Path("/dev/loop-control").exists():
        return "no loop devices"
    for command in ((*_UNSHARE, "true"), ("docker", "version")):
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode:
            return f"{command[0]}: {tried.stderr.strip()}"
    return ""


class SpareEngine:
    """An engine with copies of some of the machine's images; as a context manager it is started, ready and closed.

    Making one with images for the first time takes a while. Their disk is kept in the user's cache directory.
    """

    def __init__(self, images: Sequence[str] = (), *, disk_size: int = DISK_SIZE) -> None:
        """Nothing runs before `start`. Images are references that the machine's engine knows."""
        self._images, self._disk_size = tuple(images), disk_size
        self._open = ExitStack()
        self._directory = self._open.enter_context(_own_directory())
        self._cell: _Cell | None = None
        self._daemon: _Process | None = None

    @property
    def url(self) -> str:
        """The address for clients and DOCKER_HOST; it stays the same when the engine is started again."""
        return f"unix://{self._directory / 'engine.sock'}"

    @property
    def log(self) -> str:
        """What the daemon has written so far."""
        return (self._directory / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start the daemon, again on the same disk if it ran before; `wait_ready` waits until it answers."""
        assert not self.is_running(), "the spare engine runs already"
        if self._cell is None:
            _make_disk(self._directory / "disk", self._images, self._disk_size)
            self._cell = _Cell(self._directory)
            self._open.callback(self._cell.close)
        self._daemon = self._open.enter_context(self._cell.spawn(self._command()))

    def wait_ready(self, timeout: float = 30) -> None:
        """Wait until the engine answers.

        Raises:
            RuntimeError: the daemon ended; the message has the end of its log.
            TimeoutError: it runs and does not answer.
        """
        deadline = time.monotonic() + timeout
        while not self.answers():
            if not self.is_running():
                raise RuntimeError(f"the spare engine ended:\n{self.log[-2000:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the spare engine does not answer:\n{self.log[-2000:]}")
            time.sleep(0.02)

    def answers(self, timeout: float = 1) -> bool:
        """Whether the engine answers a ping in time."""
        with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
            connection.settimeout(timeout)
            connection.connect(self.url.removeprefix("unix://"))
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return b" 200 " in connection.recv(64)
        return False

    def is_running(self) -> bool:
        """Whether the daemon's process is there, be it paused."""
        return self._daemon is not None and self._daemon.is_running()

    def kill(self) -> None:
        """SIGKILL the daemon. Its containerd dies with it, as dockerd arranges; containers and their shims live on."""
        self._running().signal(signal.SIGKILL)
        self._running().wait(10)
        _await(lambda: not self.pids("containerd"), 10, "containerd outlived the killed daemon")

    def kill_containerd(self) -> None:
        """SIGKILL containerd alone; the daemon notices and starts another, after ten seconds or so."""
        for pid in self.pids("containerd"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def terminate(self, timeout: float = 30) -> None:
        """Ask the daemon to end and wait for it; it stops its containers first."""
        self._running().signal(signal.SIGTERM)
        self.resume()
        self._running().wait(timeout)

    def pause(self) -> None:
        """Stop the daemon in its tracks: it still takes connections, and never answers."""
        self._running().signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        self._running().signal(signal.SIGCONT)

    def pids(self, name: str = "") -> list[int]:
        """The engine's processes, containers' among them, as seen from outside; all, or those of one (cut) name."""
        return self._cell.pids(name) if self._cell else []

    def fill_disk(self, leave: int = 2 * 1024**2) -> None:
        """Take all of the engine's disk but some bytes, which costs the machine's disk nothing."""
        with (self._disk() / "filler").open("wb") as filler:
            free = os.fstatvfs(filler.fileno())
            # Reserved, not written: the loop device's file stays as sparse as it was.
            os.posix_fallocate(filler.fileno(), 0, max(1, free.f_bavail * free.f_frsize - leave))

    def free_disk(self) -> None:
        """Undo `fill_disk`."""
        (self._disk() / "filler").unlink(missing_ok=True)

    def give_disk(self, to: Path) -> None:
        """Unmount the disk and move it; only `close` is of use afterwards."""
        cast("_Cell", self._cell).close()
        (self._directory / "disk").rename(to)

    def close(self) -> None:
        """Take everything away: processes, mounts, loop device, cgroups, directory."""
        self._open.close()
        self._cell = self._daemon = None

    def __enter__(self) -> Self:
        """Start, and wait until the engine answers."""
        with ExitStack() as failing:
            failing.callback(self.close)
            self.start()
            self.wait_ready()
            failing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self) -> _Process:
        assert self._daemon is not None, "the spare engine was not started"
        return self._daemon

    def _disk(self) -> Path:
        assert self._cell is not None, "the spare engine was not started"
        return self._cell.disk

    def _command(self) -> list[str]:
        place = {"--data-root": self._directory / "data", "--exec-root": "/run/docker", "--pidfile": "/run/docker.pid"}
        groups = {"--cgroup-parent": f"/{_name_cgroup(self._directory)}", "--exec-opt": "native.cgroupdriver=cgroupfs"}
        options = {"-H": self.url, "--storage-driver": "overlay2", **place, **groups}
        return ["dockerd", *(str(word) for pair in options.items() for word in pair)]


class _Cell:
    """Namespaces with a disk, and the pipe that keeps them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (directory / "data").mkdir()
        first = ["sh", "-c", _SET_UP, "sh", str(directory), sys.executable, _FIRST_PROCESS]
        with (directory / "log").open("ab") as log:
            # In a session of its own, an interrupt from the keyboard does not reach it.
            self._outside = subprocess.Popen(
                [*_UNSHARE, *first],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        with ExitStack() as failing:
            failing.callback(self.close)
            self._first = self._read_pid()
            failing.pop_all()
        self.disk = Path(f"/proc/{self._first}/root{directory}/data")

    def spawn(self, command: Sequence[str]) -> _Process:
        """Start a daemon inside."""
        requests = cast("IO[bytes]", self._outside.stdin)
        requests.write(f"{json.dumps(command)}\n".encode())
        requests.flush()
        inner_pid = str(self._read_pid())
        for pid in self.pids():
            if _read_status(pid).get("NSpid", [])[1:2] == [inner_pid]:
                return _Process(pid)
        raise RuntimeError(f"{command[0]} ended at once: {self._read_log()}")

    def pids(self, name: str = "") -> list[int]:
        """The processes below the first, as numbered outside."""
        every = {pid: _read_status(pid) for pid in _list_pids()}
        found = [self._first]
        for parent in found:  # grows on the way
            found += [pid for pid, status in every.items() if status.get("PPid") == [str(parent)]]
        return [pid for pid in found[1:] if not name or every[pid]["Name"] == [name[:15]]]

    def close(self) -> None:
        """Let go; again is harmless."""
        cast("IO[bytes]", self._outside.stdin).close()
        self._outside.wait(20)
        cast("IO[bytes]", self._outside.stdout).close()
        # The kernel unmounts a little later than it reports the last process's end.
        _await(lambda: not _has_loop(self._directory / "disk"), 20, "the spare engine's disk stays mounted")

    def _read_pid(self) -> int:
        line = cast("IO[bytes]", self._outside.stdout).readline()
        if not line:
            raise RuntimeError(f"no namespaces for a spare engine: {self._read_log()}")
        return int(line)

    def _read_log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")[-1000:]


class _Process:
    """A process that is not our child, held so that its number cannot become another's."""

    def __init__(self, pid: int) -> None:
        self._handle = os.pidfd_open(pid)

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def is_running(self) -> bool:
        return not self._has_ended(0)

    def wait(self, timeout: float) -> None:
        if not self._has_ended(timeout):
            raise TimeoutError("the process does not end")

    def _has_ended(self, timeout: float) -> bool:
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _find_cache() -> Path:
    # Not by HOME, which pytester changes.
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    cache_directory = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "pytest-itbench-tests"
    for name in ("engines", "disks"):
        (cache_directory / name).mkdir(parents=True, exist_ok=True)
    return cache_directory


@contextmanager
def _own_directory() -> Iterator[Path]:
    """A new directory, locked while this process lives, which tells it from remains; those are removed first."""
    place = _find_cache()
    with FileLock(place / "engines.lock"):
        for left in (place / "engines").iterdir():
            _remove_if_dead(left)
        directory = place / "engines" / secrets.token_hex(4)
        directory.mkdir()
        handle = os.open(directory, os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield directory
    finally:
        _remove(directory)
        os.close(handle)


def _remove_if_dead(directory: Path) -> None:
    try:
        handle = os.open(directory, os.O_DIRECTORY)
    except FileNotFoundError:  # its owner closes it just now
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(directory)
    except (BlockingIOError, TimeoutError):
        pass  # its owner lives, or what it started is still ending
    finally:
        os.close(handle)


def _remove(directory: Path) -> None:
    _await(lambda: _remove_cgroups(_name_cgroup(directory)), 10, "the spare engine's cgroups are still in use")
    shutil.rmtree(directory)


def _name_cgroup(directory: Path) -> str:
    return f"itbench-spare-{directory.name}"


def _remove_cgroups(name: str) -> bool:
    """Whether none are left; those whose processes are still ending stay for the next try."""
    for top in find_cgroups(name):
        for directory, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                Path(directory).rmdir()
    return not find_cgroups(name)


def find_cgroups(name: str) -> list[Path]:
    """The cgroups of this name at the top of each hierarchy, of which there is one (v2) or many (v1)."""
    root = Path("/sys/fs/cgroup")
    return [*root.glob(name), *root.glob(f"*/{name}")]


def _make_disk(disk: Path, images: Sequence[str], size: int) -> None:
    if not images:
        os.close(os.open(disk, os.O_CREAT | os.O_WRONLY, 0o600))
        os.truncate(disk, size)
        subprocess.run([*_FORMAT, disk], check=True)
        return
    with FileLock(_find_cache() / "disks.lock"):
        subprocess.run(["cp", "--reflink=auto", _find_template(images, size), disk], check=True)


def _find_template(images: Sequence[str], size: int) -> Path:
    """The disk that holds these images, made when there is none. Those used least recently are given up."""
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", *images]
    ids = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    content = json.dumps([sorted(zip(images, ids, strict=True)), size, _FORMAT])
    template = _find_cache() / "disks" / hashlib.sha256(content.encode()).hexdigest()[:16]
    if not template.exists():
        _make_template(template, images, size)
    os.utime(template)
    by_use = sorted(template.parent.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in by_use[TEMPLATES_KEPT:]:
        old.unlink()
    return template


def _make_template(template: Path, images: Sequence[str], size: int) -> None:
    with SpareEngine(disk_size=size) as engine:
        _copy_images(images, engine.url)
        engine.terminate()
        engine.give_disk(template)


def _copy_images(images: Sequence[str], url: str) -> None:
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saving:
        subprocess.run(["docker", "-H", url, "load", "--quiet"], check=True, stdin=saving.stdout, capture_output=True)
    assert saving.returncode == 0, f"docker save {shlex.join(images)} failed"


def _await(done: Callable[[], bool], timeout: float, message: str) -> None:
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(message)
        time.sleep(0.02)


def _has_loop(file: Path) -> bool:
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):  # given up between the listing and the reading
            if backing.read_text().strip() == str(file):
                return True
    return False


def _list_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _read_status(pid: int) -> dict[str, list[str]]:
    """What the kernel says of a process; empty when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {key: rest.split() for key, _, rest in (line.partition(":") for line in lines)}
