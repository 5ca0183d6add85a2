"""The engine and the proxy that tests of faults rely on: do they do what they say, and leave nothing behind?"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from tests.faults.proxy import Answer, Cut, Delay, Drop, EngineProxy, Rule
from tests.faults.spare_engine import SpareEngine, find_cgroups, why_not

BASES = ("itbench/base:trixie", "debian:trixie-slim")

OWNER = """
import sys, time
from tests.faults.spare_engine import SpareEngine
engine = SpareEngine()
engine.start()
engine.wait_ready()
engine.pause()
print(engine.url, *engine.pids(), flush=True)
time.sleep(60)
"""

Proxied = Callable[..., tuple[EngineProxy, docker.DockerClient]]


@pytest.fixture(scope="module", autouse=True)
def _possible() -> None:
    if reason := why_not():
        pytest.skip(f"not on this machine: {reason}")


@pytest.fixture(scope="module")
def base() -> str:
    """An image that the machine's engine has."""
    for image in BASES:
        if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0:
            return image
    pytest.skip(f"not on this machine: none of the images {', '.join(BASES)}")


@pytest.fixture(scope="module")
def engine(base: str) -> Iterator[SpareEngine]:
    """One engine for all tests that do not look at its end."""
    with SpareEngine([base]) as engine:
        yield engine


@pytest.fixture
def client(engine: SpareEngine) -> Iterator[docker.DockerClient]:
    """A client of the spare engine, which is empty afterwards."""
    with connect(engine.url) as client:
        yield client
        for container in client.containers.list(all=True):
            container.remove(force=True)


@pytest.fixture
def container(client: docker.DockerClient, base: str) -> Container:
    """A container that sleeps."""
    return run_sleeper(client, base)


@pytest.fixture
def proxied(engine: SpareEngine) -> Iterator[Proxied]:
    """Starts a proxy with rules in front of the spare engine, and a client of it."""
    with ExitStack() as stack:

        def make(*rules: Rule, timeout: float = 20) -> tuple[EngineProxy, docker.DockerClient]:
            proxy = stack.enter_context(EngineProxy(*rules, target=engine.url))
            return proxy, stack.enter_context(connect(proxy.url, timeout))

        yield make


@contextmanager
def connect(url: str, timeout: float = 20) -> Iterator[docker.DockerClient]:
    """A client that is closed."""
    client = docker.DockerClient(base_url=url, version="1.41", timeout=timeout)  # type: ignore[arg-type]  # takes floats
    try:
        yield client
    finally:
        client.close()


def run_sleeper(client: docker.DockerClient, base: str) -> Container:
    """A container that a daemon which finds it again can stop at once."""
    return client.containers.run(base, "sleep 600", detach=True, stop_signal="SIGKILL")


@contextmanager
def open_stream(client: docker.DockerClient, container: Container, command: str) -> Iterator[Any]:
    """The hijacked stream of a command on a terminal, whose socket is closed; the client library leaves it open."""
    made = client.api.exec_create(str(container.id), command, stdin=True, tty=True)
    stream: Any = client.api.exec_start(made["Id"], tty=True, socket=True)
    with stream._sock, stream._response:
        yield stream


def pack(name: str, content: bytes) -> bytes:
    """An archive of one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def find_remains(url: str) -> list[str]:
    """What is left of an engine: its directory, and processes, mounts, loop devices and cgroups that name it."""
    directory = Path(url.removeprefix("unix://")).parent
    loops = Path("/sys/block").glob("loop*/loop/backing_file")
    places = [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/mounts"), *loops]
    return [str(place) for place in places if directory.name in read(place)] + [
        str(place) for place in [directory, *find_cgroups(f"itbench-spare-{directory.name}")] if place.exists()
    ]


def read(place: Path) -> str:
    """What the kernel says; nothing of what is gone."""
    with suppress(OSError):
        return place.read_text(errors="replace")
    return ""


def await_true(done: Callable[[], bool]) -> None:
    """Wait a little until something is so."""
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_engine_comes_back(engine: SpareEngine, client: docker.DockerClient, container: Container) -> None:
    """Containers outlive the daemon, which knows them when it is started again; the machine's engine knows nothing."""
    assert container.exec_run("hostname").exit_code == 0
    engine.kill()
    assert not engine.answers()
    assert engine.pids("sleep")
    engine.start()
    engine.wait_ready()
    assert not engine.pids("sleep")
    container.reload()
    assert container.status == "exited"
    command = ["docker", "inspect", str(container.id)]
    assert "no such" in subprocess.run(command, capture_output=True, text=True, check=False).stderr.lower()


def test_a_terminated_engine_ends_in_order(
    engine: SpareEngine, client: docker.DockerClient, container: Container
) -> None:
    """It stops its containers; waiting for it is an error that says why."""
    engine.terminate()
    assert not engine.is_running()
    assert engine.pids() == []
    with pytest.raises(RuntimeError, match="the spare engine ended"):
        engine.wait_ready()
    engine.start()
    engine.wait_ready()
    container.start()


def test_a_paused_engine_hangs(engine: SpareEngine) -> None:
    """It takes connections and does not answer, until it is resumed; it can be killed meanwhile."""
    engine.pause()
    with connect(engine.url, timeout=0.3) as client, pytest.raises(requests.ReadTimeout):
        client.ping()
    engine.resume()
    assert engine.answers()
    engine.pause()
    engine.kill()
    engine.start()
    engine.wait_ready()


def test_a_full_disk_is_full(engine: SpareEngine, container: Container) -> None:
    """For processes in containers and for the engine itself, and only until it is freed."""
    engine.fill_disk()
    written = container.exec_run(["sh", "-c", "head -c 9000000 /dev/zero >/much"])
    assert b"No space left on device" in written.output
    container.exec_run("rm /much")
    with pytest.raises(APIError, match="no space left on device"):
        container.put_archive("/", pack("much", bytes(9_000_000)))
    engine.free_disk()
    assert container.put_archive("/", pack("much", bytes(9_000_000)))


def test_a_closed_engine_leaves_nothing(base: str) -> None:
    """No process, mount, loop device, cgroup or directory, though a container runs and the daemon hangs."""
    with SpareEngine([base]) as engine, connect(engine.url) as client:
        url = engine.url
        run_sleeper(client, base)
        kinds = ("/cmdline", "/mounts", "backing_file", "/sys/fs/cgroup", "/engines/")
        assert [kind for kind in kinds if not any(kind in found for found in find_remains(url))] == []
        engine.pause()
    assert find_remains(url) == []


def test_a_killed_owner_leaves_a_directory_that_the_next_engine_removes() -> None:
    """The kernel ends what a killed test process started, even what was paused."""
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        url, *pids = owner.stdout.readline().split()
        assert len(pids) == 2
        owner.kill()
    directory = str(Path(url.removeprefix("unix://")).parent)
    await_true(lambda: find_remains(url) == [directory])
    SpareEngine().close()
    assert find_remains(url) == []


def test_reasons_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no Docker, nobody is asked to guess."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert why_not.__wrapped__().startswith("not installed: docker, dockerd")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert why_not.__wrapped__() == "only root can start a second engine"


def test_all_that_a_client_does_passes(proxied: Proxied, base: str) -> None:
    """Builds, containers, archives both ways, streams of output and many requests on one connection."""
    proxy, client = proxied()
    built, log = client.images.build(fileobj=io.BytesIO(f"FROM {base}\nRUN echo done\n".encode()), rm=True)
    assert {"stream": "done\n"} in list(log)
    assert built.id in {image.id for image in client.images.list(all=True)}
    container = run_sleeper(client, base)
    content = os.urandom(3_000_000)
    assert container.put_archive("/", pack("here", content))
    chunks, _ = container.get_archive("/here")
    assert content in b"".join(chunks)
    ran = container.exec_run(["sh", "-c", "seq 100000; exit 7"])
    assert ran.exit_code == 7
    assert ran.output == "".join(f"{n}\n" for n in range(1, 100001)).encode()
    container.remove(force=True)
    assert ("POST", f"/containers/{container.id}/start") in proxy.seen


def test_a_hijacked_stream_goes_both_ways(proxied: Proxied, container: Container) -> None:
    """What is written reaches the process, its end too, and what it says comes back."""
    _, client = proxied()
    with open_stream(client, container, "sh -c 'stty -echo -onlcr; echo ready; wc -c; echo end'") as stream:
        assert stream.read(6) == b"ready\n"
        stream._sock.sendall(b"four\n\x04")
        assert stream.readall() == b"5\nend\n"


def test_many_clients_at_once(proxied: Proxied, container: Container) -> None:
    """Connections do not wait for each other."""
    _, client = proxied()
    same = client.containers.get(str(container.id))
    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda n: same.exec_run(["echo", str(n)]).output, range(24)))
    assert ran == [f"{n}\n".encode() for n in range(24)]


def test_answers_are_the_engines_in_form(proxied: Proxied, base: str) -> None:
    """As often as the rule says; the engine is not asked, and the connection goes on."""
    rule = Rule("POST", r"^/containers/create", Answer(500, "out of sorts"), times=2)
    proxy, client = proxied(rule)
    for _ in range(2):
        with pytest.raises(APIError, match="out of sorts") as caught:
            client.containers.create(base, "true")
        assert caught.value.status_code == 500
    client.containers.create(base, "true").remove()
    assert proxy.hits[rule] == 2
    assert [path for method, path in proxy.seen if path == "/containers/create"] == ["/containers/create"] * 3


def test_delays_pass_on_in_the_end(proxied: Proxied) -> None:
    """A client waits that long, or gives up."""
    rule = Rule("GET", "_ping", Delay(0.4), times=1)
    _, client = proxied(rule)
    begin = time.monotonic()
    assert client.ping()
    assert time.monotonic() - begin >= 0.4
    _, hasty = proxied(rule, timeout=0.1)
    with pytest.raises(requests.ReadTimeout):
        hasty.ping()
    assert hasty.ping()


def test_drops_before_and_after(proxied: Proxied, client: docker.DockerClient, base: str) -> None:
    """The client cannot tell, but in one case the engine has done it."""
    for passed_on, name in ((False, "not-made"), (True, "made")):
        _, spoilt = proxied(Rule("POST", "name=", Drop(passed_on=passed_on)))
        with pytest.raises(requests.ConnectionError):
            spoilt.containers.create(base, "true", name=name)
    assert client.containers.get("made").status == "created"
    with pytest.raises(NotFound):
        client.containers.get("not-made")


def test_cuts_end_a_stream_in_the_middle(proxied: Proxied, container: Container) -> None:
    """The client has what came before; a body's framing shows that something is missing."""
    _, client = proxied(Rule("POST", r"/exec/.*/start", Cut(5000)), Rule("GET", "/json", Cut(5)))
    with open_stream(client, container, "seq 100000") as stream:
        assert len(stream.readall()) == 5000
    with pytest.raises(requests.RequestException):
        client.containers.get(str(container.id))


def test_rules_come_and_go(proxied: Proxied) -> None:
    """The first that fits counts."""
    proxy, client = proxied(Rule("GET|HEAD", "_ping", Answer(503, "first")))
    proxy.add(Rule(".*", "", Answer(500, "second")))
    with pytest.raises(APIError, match="first"):
        client.ping()
    with pytest.raises(APIError, match="second"):
        client.containers.list()
    proxy.clear()
    assert client.ping()


def test_ends_of_connections_pass_both_ways(engine: SpareEngine, proxied: Proxied, container: Container) -> None:
    """A client whose engine was started again connects anew; a client that leaves ends its request at the engine."""
    proxy, client = proxied()
    with pytest.raises(requests.RequestException):
        client.api.wait(str(container.id), timeout=0.5)  # type: ignore[arg-type]  # takes floats
    client.close()
    await_true(lambda: not proxy._sockets)
    assert client.ping()
    engine.kill()
    with pytest.raises(requests.ConnectionError):
        client.ping()
    engine.start()
    engine.wait_ready()
    assert client.ping()
