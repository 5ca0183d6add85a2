"""Room, addresses and routes: arithmetic of environments."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from pytest_itbench.domain.capacity import Load
from pytest_itbench.domain.scenario import Grant
from pytest_itbench.environments.admission import Admission, Lease, leased
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.facts import find_unfitness, read_facts
from pytest_itbench.environments.docker.machine import USUAL_CAPABILITIES
from pytest_itbench.environments.docker.network import render_forwarders
from pytest_itbench.environments.docker.place import Place
from pytest_itbench.environments.docker.subnets import PREFIX, find_addresses, find_free
from pytest_itbench.environments.docker.tunnel import describe_command
from pytest_itbench.errors import EngineTrouble, NoRoom

ROOTLESS = "a rootless engine needs cgroup v2 with delegated controllers"
ONE = Load(memory=10, cpus=1, pids=5, disk=1)


class Rooms:
    """Places of fixed size."""

    def __init__(self, **places: Load) -> None:
        self.places, self.foreign = places, Load()
        self.trouble: EngineTrouble | None = None

    def find_places(self) -> Mapping[str, Load]:
        """As given."""
        return self.places

    def find_foreign_load(self, place: str) -> Load:
        """The same everywhere."""
        del place
        if self.trouble:
            raise self.trouble
        return self.foreign


def room(times: int) -> Load:
    """For so many."""
    return Load(memory=10 * times, cpus=times, pids=5 * times, disk=times)


def enter_later(admission: Admission, holder: str, load: Load) -> tuple[threading.Thread, list[Lease]]:
    """Ask for room in a thread."""
    got: list[Lease] = []
    thread = threading.Thread(target=lambda: got.append(admission.enter(holder, load)), daemon=True)
    thread.start()
    time.sleep(0.05)
    return thread, got


def test_as_many_as_fit() -> None:
    """The next one waits until somebody leaves."""
    admission = Admission(lambda: Rooms(a=room(2)))
    first, _ = admission.enter("w", ONE), admission.enter("w", ONE)
    thread, got = enter_later(admission, "w", ONE)
    assert got == []
    admission.leave(first.number)
    thread.join(2)
    assert got[0].place == "a"
    assert admission.peak == 2


def test_places_fill_evenly() -> None:
    """Each goes where the smallest share is used."""
    admission = Admission(lambda: Rooms(small=room(2), large=room(6)))
    places = [admission.enter("w", ONE).place for _ in range(8)]
    assert (places.count("small"), places.count("large")) == (2, 6)


def test_a_dead_worker_holds_nothing() -> None:
    """What it held is free, and what it waited for is not given to it."""
    admission = Admission(lambda: Rooms(a=room(1)))
    admission.enter("dead", ONE)
    thread, got = enter_later(admission, "waits", ONE)
    admission.forget("dead")
    thread.join(2)
    assert got[0].place == "a"
    thread, got = enter_later(admission, "gone", ONE)
    admission.forget("gone")
    thread.join(2)
    assert got[0].problem == "the process that asked is gone"


def test_a_large_one_is_not_overtaken() -> None:
    """While it waits, smaller ones that came later wait too."""
    admission = Admission(lambda: Rooms(a=room(2)))
    first = admission.enter("w", ONE)
    large, got_large = enter_later(admission, "w", room(2))
    small, got_small = enter_later(admission, "w", ONE)
    assert (got_large, got_small) == ([], [])
    admission.leave(first.number)
    large.join(2)
    admission.leave(got_large[0].number)
    small.join(2)
    assert got_small[0].place == "a"


def test_what_others_use_is_not_given_away_twice() -> None:
    """Another run's load counts, but never keeps a run from going on with one attempt at a time."""
    rooms = Rooms(a=room(2))
    rooms.foreign = room(2)
    admission = Admission(lambda: rooms)
    first = admission.enter("w", ONE)
    assert first.place == "a"
    _, got = enter_later(admission, "w", ONE)
    assert got == []


def test_an_engine_that_cannot_be_asked_holds_nobody_up() -> None:
    """What others use there stays unknown for a while."""
    rooms = Rooms(a=room(1))
    rooms.trouble = EngineTrouble("away")
    assert Admission(lambda: rooms).enter("w", ONE).place == "a"


def test_what_never_fits_is_told() -> None:
    """With the amount; fewer processors than wanted only make it slower."""
    admission = Admission(lambda: Rooms(a=Load(memory=2 * 1024**3, cpus=1, pids=100, disk=100)))
    big = Load(memory=3 * 1024**3, cpus=4, pids=1, disk=1)
    with pytest.raises(NoRoom, match=r"may use 3\.0 GiB memory, but a has 2\.0 GiB"), leased(admission, "w", big):
        pass
    assert admission.enter("w", Load(memory=1, cpus=4, pids=1, disk=1)).place == "a"


def test_subnets_leave_routes_alone() -> None:
    """A network touches nothing that is taken; a pool's free rest is used up to its last piece."""
    pool, taken = IPv4Network("10.9.0.0/24"), [IPv4Network("10.9.0.0/25"), IPv4Network("10.9.0.200/32")]
    found = {next(find_free([pool], taken)) for _ in range(200)}
    assert found == {IPv4Network("10.9.0.128/27"), IPv4Network("10.9.0.160/27"), IPv4Network("10.9.0.224/27")}
    assert all(net.prefixlen == PREFIX for net in found)
    with pytest.raises(EngineTrouble, match=r"no addresses for networks: all of 10\.9\.0\.0/24 is taken"):
        next(find_free([pool], [IPv4Network("10.0.0.0/8")]))


def test_there_are_thousands_of_subnets() -> None:
    """Two processes seldom try the same one first."""
    pools = [IPv4Network("198.18.0.0/15")]
    assert len({next(find_free(pools, [])) for _ in range(300)}) > 280
    assert find_addresses(IPv4Network("198.18.0.32/27"), 2) == ["198.18.0.62", "198.18.0.61"]


def test_facts_of_a_machine() -> None:
    """Numbers and routes as the kernel tells them; the default route takes no addresses."""
    text = (
        "pid_max 4194304\nthreads_max 100000\nmemory 1048576\ndisk /dev/vda 9 9 10485760 9% /\n"
        "route 00000000 00000000\nroute 000011AC 0000FFFF\n"
    )
    facts = read_facts(text, 2)
    assert facts.capacity == Load(memory=0.9 * 1024**3, cpus=4, pids=80000, disk=8 * 1024**3)
    assert facts.disk == 10 * 1024**3
    assert facts.routes == (IPv4Network("172.17.0.0/16"),)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"OSType": "linux", "MemoryLimit": True, "CpuCfsQuota": True, "PidsLimit": True}, ""),
        ({"OSType": "windows"}, "it runs containers of windows, not of Linux"),
        ({"MemoryLimit": False, "PidsLimit": False}, "it cannot bound memory and the number of processes"),
        (
            {"CpuCfsQuota": False, "SecurityOptions": ["name=seccomp", "name=rootless"]},
            f"it cannot bound processors; {ROOTLESS}",
        ),
        (
            {"MemoryLimit": True, "CpuCfsQuota": True, "PidsLimit": True, "Rootless": True, "CgroupVersion": "1"},
            f"it cannot bound memory and processors and the number of processes; {ROOTLESS}",
        ),
        ({"MemoryLimit": True, "Rootless": True, "CgroupVersion": "2"}, ""),
    ],
)
def test_engines_that_cannot_bound_are_refused(about: dict[str, object], said: str) -> None:
    """With the reason."""
    assert find_unfitness(about) == said


def test_tunnels_follow_the_name() -> None:
    """User, port and socket of an ssh:// name; the rest is the user's own configuration."""
    command = describe_command("ssh://ops@build:2222/run/user/1000/docker.sock", "/s")
    assert command[-7:] == ["/s:/run/user/1000/docker.sock", "-l", "ops", "-p", "2222", "--", "build"]
    assert describe_command("ssh://build", "/s")[-3:] == ["/s:/var/run/docker.sock", "--", "build"]


def test_forwarders_name_what_is_granted_alone() -> None:
    """A listener for each port, towards that port of that name."""
    assert render_forwarders(Grant(name="example.org", ports=(80, 443))).count("TCP:example.org:") == 2


def test_hosts_may_do_little() -> None:
    """None of the usual capabilities reaches beyond a container."""
    assert not {"SYS_ADMIN", "NET_ADMIN", "SYS_MODULE", "SYS_PTRACE", "MKNOD", "SYS_RAWIO"} & set(USUAL_CAPABILITIES)


def test_a_removal_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An executor keeps what its jobs raise, and nobody asks it."""

    def fail(*given: object) -> None:
        raise KeyError(given)

    monkeypatch.setattr("pytest_itbench.environments.docker.place.remove_attempt", fail)
    place = Place(Engine(), tmp_path, owner="", pools=(), given={})
    place.remove(["web"], "its-network")
    place.await_removals()
    assert "removing its-network failed" in caplog.text
