"""What hosts may use and reach, and what becomes of them: with real containers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_itbench.domain.scenario import Host, Scenario
from pytest_itbench.environments.docker.engine import Engine, Member
from pytest_itbench.environments.docker.environment import DockerEnvironment
from pytest_itbench.environments.docker.image_store import ImageStore
from pytest_itbench.environments.docker.leftovers import KEPT, find_kept
from pytest_itbench.environments.docker.machine import USUAL_CAPABILITIES
from pytest_itbench.environments.docker.provider import DockerProvider
from pytest_itbench.errors import HostStopped, OverLimit
from pytest_itbench.owner import describe_owner
from pytest_itbench.runner import find_cache
from pytest_itbench.testing.conformance import make_ground, make_options
from tests.engine.test_docker import play

Start = Callable[..., DockerEnvironment]


def test_a_host_that_fills_its_disk_is_ended(start: Start) -> None:
    """One file stops at the limit; many of them end the host, which is the candidate's doing."""
    environment = start(host="{limits: {disk: 64m}}")
    # Without a byte on the disk, so that nothing ends the host meanwhile.
    one, more = (f"ansible.builtin.command: truncate -s {64 * 1024**2 + extra} /one" for extra in (0, 1))
    assert play(environment, one).status == 0
    assert play(environment, more).status != 0
    with environment.connect() as hosts:
        assert hosts["web"].file("/one").size == 64 * 1024**2
    many = "for n in 1 2 3 4 5 6; do head -c 60000000 /dev/zero >/n$n; done; sleep 20"
    play(environment, f"ansible.builtin.shell: '{many}'")
    environment.end_candidate()
    said = r"web used more than it may: \d+ MiB on its disk, of 64 MiB"
    with pytest.raises(OverLimit, match=said), environment.connect() as hosts:
        hosts["web"].run("true")


def test_a_host_may_do_what_is_stated(engine: Engine, start: Start) -> None:
    """The usual few capabilities, those that the scenario names, and no others."""
    environment = start(host="{capabilities: [NET_ADMIN]}")
    with environment.connect() as hosts:
        ran = hosts["web"].run("cat /proc/1/status")
        assert hosts["web"].run("ip link add dummy0 type dummy || ip route add blackhole 192.0.2.0/24").rc == 0
    config = engine.api.inspect_container(f"{environment.name}-web")["HostConfig"]
    assert sorted(config["CapAdd"]) == sorted([*USUAL_CAPABILITIES, "NET_ADMIN"])
    (bounding,) = (line.split()[1] for line in ran.stdout.splitlines() if line.startswith("CapBnd"))
    assert int(bounding, 16).bit_count() == len(USUAL_CAPABILITIES) + 1


def find_mirror(engine: Engine) -> str:
    """The name of the machine from which the images' packages came."""
    image = ImageStore(engine, find_cache()).host_image(Host(name="web"))
    command = ["sh", "-c", "cat /etc/apt/sources.list; cat /etc/apt/sources.list.d/* 2>/dev/null; true"]
    text: bytes = engine.client.containers.run(image, command, remove=True)
    return next(word for word in text.decode().split() if word.startswith("http")).split("/")[2].partition(":")[0]


def test_only_what_is_granted_can_be_reached(engine: Engine, start: Start) -> None:
    """A granted name and port answer; another port of it, another name and an address do not."""
    name = find_mirror(engine)
    environment = start(f"network: [{{name: {name}, ports: [80]}}]\n")
    address = socket.gethostbyname(name)
    with environment.connect() as hosts:
        web = hosts["web"]
        assert web.run(f"wget -q -T 10 -O /dev/null http://{name}/debian/dists/stable/Release").rc == 0
        for place in (f"https://{name}/", f"http://{address}/", "http://example.org/"):
            assert web.run(f"wget -q -T 3 -O /dev/null {place}").rc != 0, place
        assert web.run("timeout 3 nc -w 2 1.1.1.1 53").rc != 0


def test_a_kept_environment_can_be_entered(engine: Engine, start: Start, provider: DockerProvider) -> None:
    """The command enters it, no sweep removes it, and reaping what was kept does."""
    environment = start()
    environment.end_candidate()
    enter = environment.keep()
    environment.stop()
    assert not any(name.startswith(KEPT) for name in provider.sweep(describe_owner()))
    words = enter.split()
    assert words[:3] == ["docker", "exec", "-it"]
    assert words[3].startswith(KEPT)
    ran = subprocess.run(["docker", "exec", words[3], "hostname"], capture_output=True, text=True, check=True)
    assert ran.stdout == "web\n"
    assert words[3] in provider.sweep_kept()
    assert [thing.name for thing in find_kept(engine) if str(thing.name) == words[3]] == []


COUNTED = "#!/bin/sh\necho done >>/etc/steps\n"
STARTED = "#!/bin/sh\necho done >>/etc/live-steps\nnohup sleep 300 >/dev/null 2>&1 &\n"


def read_steps(environment: DockerEnvironment) -> list[str]:
    """What each file of steps holds, and whether what was started runs."""
    with environment.connect() as hosts:
        web = hosts["web"]
        texts = [web.run(f"cat /etc/{name} 2>/dev/null").stdout for name in ("steps", "live-steps")]
        return [*texts, web.run("ps -eo args | grep -c '^sleep 300'").stdout]


def test_steps_are_kept_up_to_the_first_that_leaves_more_than_files(start: Start) -> None:
    """Every attempt finds each step done once, whether it is kept or done again; what was started runs."""
    files = {"environment/a.sh": COUNTED, "environment/b.sh": STARTED, "environment/c.sh": COUNTED}
    extra = "setup: [{script: environment/a.sh}, {script: environment/b.sh}]\ntrigger: [{script: environment/c.sh}]\n"
    environment = start(extra, files)
    first = read_steps(environment)
    environment.stop()
    environment.start()
    assert environment.find_start().done == 1
    environment.prepare()
    assert first == read_steps(environment) == ["done\ndone\n", "done\n", "1\n"]


def test_live_steps_are_done_for_each_attempt(start: Start) -> None:
    """Although they leave nothing but files."""
    files = {"environment/a.sh": COUNTED}
    environment = start("setup: [{script: environment/a.sh, live: true}]\n", files)
    assert environment.find_start().done == 0
    assert read_steps(environment)[0] == "done\n"


NOTE = "- {{hosts: all, become: true, gather_facts: false, tasks: [ansible.builtin.shell: echo {} >>/etc/seen]}}\n"


def test_what_changes_between_two_runs(start: Start) -> None:
    """Steps meet what the first run left, in their order; the second run meets what they left."""
    environment = start(
        "between: [{script: environment/change.sh, hosts: [web]}, {playbook: environment/change.yml}]",
        {
            "environment/change.sh": "#!/bin/sh\necho script >>/etc/seen\n",
            "environment/change.yml": NOTE.format("play"),
        },
    )
    environment.apply(NOTE.format("first"))
    assert environment.change() == ""
    environment.apply(NOTE.format("second"))
    with environment.connect() as hosts:
        assert hosts["web"].file("/etc/seen").content_string.split() == ["first", "script", "play", "second"]


def test_a_change_that_fails_is_told(engine: Engine, start: Start) -> None:
    """Which step, where, its status and what it printed; a host that is gone by then is the candidate's doing."""
    change = "#!/bin/sh\ntest -e /etc/seen || { echo nothing seen; exit 3; }\n"
    environment = start("between: [{script: environment/change.sh}]", {"environment/change.sh": change})
    assert environment.change() == "change.sh failed on web (status 3):\nnothing seen\n"
    environment.apply(NOTE.format("first"))
    assert environment.change() == ""
    engine.api.kill(f"{environment.name}-web")
    with pytest.raises(HostStopped, match="web stopped with status 137"):
        environment.change()


def test_attempts_start_from_the_same_state(start: Start) -> None:
    """Nothing of the checkpoint's making is there: no key, no list of its own, no process file."""
    files = {"environment/a.sh": "#!/bin/sh\necho x >/etc/a\n"}
    environment = start("setup: [{script: environment/a.sh}]\n", files, host="{start: [service cron start]}")
    assert environment.find_start().done == 1
    with environment.connect() as hosts:
        web = hosts["web"]
        assert web.run("ls -a / | grep itbench").stdout == ".itbench\n"
        assert web.run("wc -l </home/ops/.ssh/authorized_keys").stdout.strip() == "1"
        assert web.service("cron").is_running
        assert web.run("pgrep -c cron").stdout == "1\n"


@pytest.fixture
def ssh_engine(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """The usual engine behind an ssh server that runs in a container."""
    if not (shutil.which("ssh") and Path("/var/run/docker.sock").exists()):
        pytest.skip("not on this machine: no ssh, or no engine at the usual place")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    container = engine.client.containers.create(
        ImageStore(engine, find_cache()).host_image(Host(name="web")),
        ["sh", "-c", "mkdir -p /run/sshd; chmod 700 /root/.ssh; exec /usr/sbin/sshd -D"],
        ports={"22/tcp": ("127.0.0.1", 0)},
        volumes={"/var/run/docker.sock": {"bind": "/var/run/docker.sock"}},
    )
    try:
        key = (tmp_path / "key.pub").read_bytes()
        engine.put_files(str(container.name), [Member(path="/root/.ssh/authorized_keys", content=key, mode=0o600)])
        container.start()
        container.reload()
        published, *_ = container.ports["22/tcp"] or []
        await_server(int(published["HostPort"]))
        write_client(tmp_path, published["HostPort"])
        yield "ssh://root@far"
    finally:
        container.remove(force=True)


def await_server(port: int) -> None:
    """Wait until the server greets: its port is open before it listens."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            if connection.recv(4) == b"SSH-":
                return
        time.sleep(0.1)
    pytest.fail("the ssh server does not answer")


def write_client(place: Path, port: str) -> None:
    """A command ``ssh`` that knows the server by the name ``far``."""
    options = [f"Port {port}", "HostName 127.0.0.1", f"IdentityFile {place}/key", "StrictHostKeyChecking no"]
    options += [f"UserKnownHostsFile {place}/known", "LogLevel ERROR", "ConnectionAttempts 5"]
    (place / "client").write_text("Host far\n" + "".join(f"  {line}\n" for line in options))
    (place / "bin").mkdir()
    (place / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {place}/client "$@"\n')
    (place / "bin" / "ssh").chmod(0o755)


def test_an_engine_of_another_machine(
    ssh_engine: str, write: Callable[..., Scenario], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through ssh everything goes as it does here, also in a second process that is told the way."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    options = make_options(find_cache(), docker_hosts=(ssh_engine,))
    with closing(DockerProvider(options)) as first:
        reached = first.hand_over()
        with closing(DockerProvider(replace(options, reached=reached))) as second:
            environment = second.create(write(), make_ground(), ssh_engine)
            environment.start()
            environment.prepare()
            assert play(environment, "ansible.builtin.command: hostname").status == 0
            with environment.connect() as hosts:
                assert hosts["web"].run("hostname").stdout == "web\n"
            environment.stop()
            second.sweep(describe_owner())
