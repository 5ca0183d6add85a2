"""The provider ``docker`` against Podman, which offers Docker's interface: an engine of the tests' own.

It runs in namespaces of its own (mounts with a /run, network, processes), whose first process reads a pipe from here:
when this process ends, however it ends, the engine and all that runs on it ends too. Its images are copies of those of
the machine's engine; they are kept in the user's cache directory, and Podman writes nothing there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

import pytest
from filelock import FileLock

from pytest_itbench.domain.scenario import Host
from pytest_itbench.environments.base import Environment
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.image_store import DEBIAN, DEBIAN_BUILT, ImageStore
from pytest_itbench.environments.docker.provider import DockerProvider
from pytest_itbench.errors import EngineTrouble
from pytest_itbench.owner import describe_owner
from pytest_itbench.runner import find_cache
from pytest_itbench.testing.conformance import MARKING, EnvironmentConformance, make_options

TOOLS = ("podman", "netavark", "aardvark-dns", "catatonit", "crun", "iptables", "ip", "unshare", "mount", "docker")
PATIENCE = 30.0
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc")
# The shell, as the first process, takes in all that lose their parent.
SERVE = """
mount -t tmpfs tmpfs /run && ip link set lo up || exit 1
podman system service --time=0 "unix://$1/socket" >"$1/log" 2>&1 &
cat >/dev/null
"""
SETTINGS = """
[containers]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "bounded"
static_dir = "{place}/static"
tmp_dir = "/run/podman"
volume_path = "{place}/volumes"
[engine.runtimes]
bounded = ["{place}/runtime"]
[network]
network_backend = "netavark"
network_config_dir = "{place}/networks"
"""
STORAGE = """
[storage]
driver = "overlay"
graphroot = "{place}/root"
runroot = "/run/storage"
[storage.options]
{store}
"""
# Podman raises limits of processes beyond its own, which not every machine's root may do.
RUNTIME = """#!{python} -IS
import json, os, resource, sys
from pathlib import Path

def bound(file, find):
    told = json.loads(file.read_text())
    for limit in find(told).get("rlimits") or ():
        _, most = resource.getrlimit(getattr(resource, limit["type"]))
        if most != resource.RLIM_INFINITY:
            limit.update(hard=min(limit["hard"], most), soft=min(limit["soft"], most))
    file.write_text(json.dumps(told))

words = sys.argv[1:]
for option, value in zip(words, words[1:]):
    if option == "--bundle":
        bound(Path(value, "config.json"), lambda told: told["process"])
    elif option == "--process":
        bound(Path(value), lambda told: told)
os.execv("{crun}", ["crun", *words])
"""


def find_obstacle() -> str:
    """Why there can be no Podman of our own here; empty when there can."""
    if not shutil.which("podman"):
        return "podman is not installed"
    if os.geteuid() != 0:
        return "only root can start a second engine"
    if missing := [tool for tool in TOOLS if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/lib/podman")]:
        return f"podman lacks {', '.join(missing)}"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return f"unshare: {tried.stderr.strip()}" if tried.returncode else ""


@pytest.fixture(scope="module")
def podman() -> Iterator[str]:
    """The address of an engine of our own."""
    if obstacle := find_obstacle():
        pytest.skip(f"not on this machine: {obstacle}")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pytest-itbench-tests" / "podman"
    base.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{base}.lock"):
        images = copy_images(base, find_images())
        for left in base.iterdir():
            if left != images:  # older images, and what a run that was killed left
                shutil.rmtree(left)
        place = Path(tempfile.mkdtemp(dir=base))
        try:
            with serve(place, images):
                await_answer(place)
                yield f"unix://{place}/socket"
        finally:
            shutil.rmtree(place)
            remove_cgroups()


def find_images() -> list[str]:
    """The images that the conformance suite needs, made on the machine's engine if they are not there."""
    engine = Engine()
    try:
        store = ImageStore(engine, find_cache())
        made = [store.control_image(), store.host_image(Host(name="web"))]
        return [DEBIAN if store.is_here(DEBIAN) else DEBIAN_BUILT, *made]
    except EngineTrouble as trouble:
        pytest.skip(f"no container engine: {trouble.message}")
    finally:
        engine.close()


def copy_images(base: Path, names: Sequence[str]) -> Path:
    """A store of Podman's with these images, made when there is none."""
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", *names]
    ids = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    store = base / f"images-{hashlib.sha256(json.dumps([ids, *names]).encode()).hexdigest()[:16]}"
    if not store.exists():
        with tempfile.TemporaryDirectory(dir=base) as directory:
            place = Path(directory)
            # Namespaces of its own, so that the mount on the store ends with it.
            command = [*UNSHARE, "sh", "-c", "mount -t tmpfs tmpfs /run && exec podman load --quiet"]
            with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saving:
                subprocess.run(command, check=True, stdin=saving.stdout, capture_output=True, env=settle(place))
            assert saving.returncode == 0, f"docker save {shlex.join(names)} failed"
            (place / "root").rename(store)
    return store


def settle(place: Path, images: Path | None = None) -> dict[str, str]:
    """Write settings; gives the environment variables with which Podman takes them and no others."""
    store = f'additionalimagestores = ["{images}"]' if images else ""
    (place / "containers.conf").write_text(SETTINGS.format(place=place))
    (place / "storage.conf").write_text(STORAGE.format(place=place, store=store))
    (place / "runtime").write_text(
        RUNTIME.replace("{python}", sys.executable).replace("{crun}", str(shutil.which("crun")))
    )
    (place / "runtime").chmod(0o755)
    names = {"CONTAINERS_CONF": "containers.conf", "CONTAINERS_STORAGE_CONF": "storage.conf"}
    return {**os.environ, **{name: str(place / file) for name, file in names.items()}}


@contextmanager
def serve(place: Path, images: Path) -> Iterator[None]:
    """Run the engine within the block."""
    command = [*UNSHARE, "sh", "-c", SERVE, "sh", str(place)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, env=settle(place, images), cwd="/", start_new_session=True
    )
    try:
        yield
    finally:
        cast("IO[bytes]", process.stdin).close()
        process.wait(PATIENCE)


def await_answer(place: Path) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + PATIENCE
    while not answers(place / "socket"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Podman does not answer:\n{(place / 'log').read_text()}")
        time.sleep(0.1)


def answers(address: Path) -> bool:
    """Whether an engine answers there."""
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(1)
        connection.connect(str(address))
        connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
        return b" 200 " in connection.recv(64)
    return False


def remove_cgroups() -> None:
    """Podman leaves the cgroup above its containers' own; one that another Podman uses cannot be removed."""
    root = Path("/sys/fs/cgroup")
    for top in (*root.glob("libpod_parent"), *root.glob("*/libpod_parent")):
        for directory, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                Path(directory).rmdir()


class TestPodman(EnvironmentConformance):
    """What every provider must do."""

    @pytest.fixture
    def provider(self, podman: str) -> Iterator[DockerProvider]:
        """The one under test."""
        provider = DockerProvider(make_options(find_cache(), docker_hosts=(podman,)))
        yield provider
        provider.sweep(describe_owner())
        provider.close()

    def test_a_candidate_reaches_hosts_by_name(self, environment: Environment) -> None:
        """Without a name service."""
        application = environment.apply(MARKING)
        assert application.status == 0, application.output
        with environment.connect() as hosts:
            assert hosts["web"].run("cat /candidate").stdout == "marked"
