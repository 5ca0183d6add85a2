# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The limits of each gateway, level by level, and the files from which they come."""

from pathlib import Path

PATH = "/etc/gateway/limits.conf"
NAMES = ["connections", "idle_seconds", "queue", "uploads_mb", "workers"]
SOURCES = {"gate1": "gate1.json", "gate2": "gate2.json", "gate3": None, "gate4": "gate4.json"}


def read_lines(name, host):
    """The lines of the host's limits that are not blank."""
    file = host.file(PATH)
    assert file.exists, f"{name}: {PATH} does not exist"
    return [line.strip() for line in file.content_string.splitlines() if line.strip()]


def compare(hosts, wanted):
    """The named limits of the named hosts have the wanted values."""
    for name, limits in wanted.items():
        lines = read_lines(name, hosts[name])
        pairs = [[part.strip() for part in line.split("=", 1)] for line in lines]
        seen = dict(pair for pair in pairs if len(pair) == 2)
        for limit, value in limits.items():
            assert seen.get(limit) == str(value), f"{name}: {limit} is {seen.get(limit)!r}, wanted {value}; has {lines}"


def check_defaults_hold_where_nothing_beats_them(hosts):
    """Limits of which neither group nor host says anything have their defaults."""
    wanted = {
        "gate1": {"queue": 100, "uploads_mb": 16},
        "gate3": {"connections": 400},
        "gate4": {"connections": 400, "idle_seconds": 60, "workers": 4},
    }
    compare(hosts, wanted)


def check_groups_beat_defaults(hosts):
    """Hosts of one of the two groups have its values."""
    wanted = {
        "gate1": {"connections": 2000, "idle_seconds": 15, "workers": 8},
        "gate3": {"idle_seconds": 600, "queue": 5000, "uploads_mb": 512, "workers": 2},
    }
    compare(hosts, wanted)


def check_batch_beats_edge(hosts):
    """A host in both groups has the values of batch where both have one."""
    compare(hosts, {"gate2": {"idle_seconds": 600, "uploads_mb": 512}})


def check_own_values_beat_all(hosts):
    """What a host says of itself holds, whatever its groups and the defaults say."""
    compare(hosts, {"gate2": {"workers": 6}, "gate4": {"queue": 250}})


def check_zero_is_a_value(hosts):
    """A host's own 0 is in force."""
    compare(hosts, {"gate2": {"queue": 0}, "gate4": {"uploads_mb": 0}})


def check_null_falls_back_to_the_groups(hosts):
    """A host's own null leaves the value of its group in force."""
    compare(hosts, {"gate2": {"connections": 2000}})


def check_five_lines_in_order(hosts):
    """Each host has a line for each of the five limits, in alphabetical order, and no other line."""
    for name, host in hosts.items():
        lines = read_lines(name, host)
        seen = [line.partition(" = ")[0] for line in lines]
        assert seen == NAMES, f"{name}: {PATH} has the lines {lines}"


def check_owner_and_mode(hosts):
    """The limits belong to root and can be read by the gateway's group."""
    for name, host in hosts.items():
        file = host.file(PATH)
        assert file.exists, f"{name}: {PATH} does not exist"
        seen = (file.user, file.group, f"{file.mode:o}")
        assert seen == ("root", "www-data", "640"), f"{name}: {PATH} is {seen}"


def check_other_files_untouched(hosts):
    """The hosts' own files are as they were, and no other file was added."""
    place = Path(__file__).with_name("environment")
    for name, host in hosts.items():
        kept = {"contact.txt": "contact.txt", **({"local.json": SOURCES[name]} if SOURCES[name] else {})}
        seen = set(host.run("find /etc/gateway -mindepth 1").stdout.split()) - {PATH}
        wanted = {f"/etc/gateway/{file}" for file in kept}
        assert seen == wanted, f"{name}: /etc/gateway holds {sorted(seen)} beside the limits, not {sorted(wanted)}"
        for file, source in kept.items():
            text = host.file(f"/etc/gateway/{file}").content_string
            assert text == place.joinpath(source).read_text("utf-8"), f"{name}: {file} was changed: {text!r}"
        if SOURCES[name]:
            mode = host.file("/etc/gateway/local.json").mode
            assert mode == 0o600, f"{name}: local.json has mode {mode:o}"
