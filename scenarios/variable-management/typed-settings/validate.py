# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The settings' types as data, what the running services show, and what must not have changed."""

import json
from pathlib import Path

PATH = "/etc/meter/settings.json"
WANTED = {
    "meter1": {
        "listen.port": 8070,
        "workers": 3,
        "sample_seconds": 2.5,
        "compress": False,
        "debug": False,
        "networks": ["10.8.0.0/16", "192.168.7.0/24"],
        "upstream.retries": [1, 5, 15],
        "upstream.proxy": None,
    },
    "meter2": {
        "listen.port": 8070,
        "workers": 2,
        "sample_seconds": 10,
        "compress": True,
        "debug": False,
        "networks": ["10.9.0.0/16"],
        "upstream.retries": [],
        "upstream.proxy": "http://proxy.example.test:3128",
    },
}


def flatten(value, path=""):
    """The leaves of nested objects by their path."""
    if not isinstance(value, dict):
        return {path: value}
    return {leaf: v for key, part in value.items() for leaf, v in flatten(part, f"{path}.{key}".lstrip(".")).items()}


def read_source(name):
    """A file of the starting state."""
    return Path(__file__).with_name("environment").joinpath(name).read_text("utf-8")


def read_settings(host):
    """The host's settings as leaves."""
    return flatten(json.loads(host.file(PATH).content_string))


def is_same(one, other):
    """Equal in value and type; a whole number may be written with a fraction of zero."""
    numbers = [isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other)]
    return one == other if all(numbers) else json.dumps(one) == json.dumps(other)


def compare(hosts, *names):
    """The named settings of the spoiled hosts are what they must be."""
    for host, wanted in WANTED.items():
        settings = read_settings(hosts[host])
        for name in names:
            seen = settings.get(name, "missing")
            assert is_same(seen, wanted[name]), f"{host}: {name} is {seen!r}, wanted {wanted[name]!r}"


def check_service_runs_with_its_file(hosts):
    """Each host's service answers and shows the settings that stand in its file."""
    for name, host in hosts.items():
        ran = host.run("curl -s -m 5 http://127.0.0.1:8070/")
        assert ran.rc == 0, f"{name}: nobody answers on port 8070"
        shown, settings = flatten(json.loads(ran.stdout)), read_settings(host)
        differ = sorted(key for key in shown.keys() | settings if not is_same(shown.get(key), settings.get(key)))
        assert not differ, f"{name}: the service runs with other settings than its file: {', '.join(differ)}"
        ran = host.run("/usr/local/sbin/meterd --check")
        assert ran.rc == 0, f"{name}: the service would not start again: {ran.stderr.strip()}"


def check_numbers_are_numbers(hosts):
    """Port and workers are whole numbers, the seconds a number with its fraction."""
    compare(hosts, "listen.port", "workers", "sample_seconds")
    for name, host in hosts.items():
        for key in ("listen.port", "workers"):
            seen = read_settings(host).get(key)
            assert isinstance(seen, int), f"{name}: {key} is {seen!r}, not a whole number"


def check_switches_are_truth_values(hosts):
    """Both switches are true or false, as their texts said."""
    compare(hosts, "compress", "debug")


def check_lists_are_lists(hosts):
    """Networks and retries are lists with the items of their texts."""
    compare(hosts, "networks", "upstream.retries")


def check_proxy_is_null_or_its_address(hosts):
    """A proxy of None became null; an address is still there."""
    compare(hosts, "upstream.proxy")


def check_other_settings_untouched(hosts):
    """No other setting is lost, added or changed, whatever it looks like."""
    for name, keys in WANTED.items():
        before = {k: v for k, v in flatten(json.loads(read_source(f"{name}.json"))).items() if k not in keys}
        after = {k: v for k, v in read_settings(hosts[name]).items() if k not in keys}
        differ = sorted(key for key in before.keys() | after if key not in before or key not in after)
        assert not differ, f"{name}: lost or added: {', '.join(differ)}"
        changed = [f"{key}: {after[key]!r}" for key in after if json.dumps(before[key]) != json.dumps(after[key])]
        assert not changed, f"{name}: changed: {'; '.join(changed)}"


def check_sound_host_untouched(meter3):
    """Where all types were right, the file is the same to the letter and the service was not restarted."""
    seen = meter3.file(PATH).content_string
    assert seen == read_source("meter3.json"), f"meter3: the settings were changed: {seen!r}"
    starts = meter3.file("/var/log/meter/starts.log").content_string.split()
    assert not starts, f"meter3: the service was started {len(starts)} times"


def check_owner_and_mode(hosts):
    """The settings belong to root and can be read by the group adm."""
    for name, host in hosts.items():
        file = host.file(PATH)
        assert file.exists, f"{name}: {PATH} is gone"
        seen = (file.user, file.group, f"{file.mode:o}")
        assert seen == ("root", "adm", "640"), f"{name}: {PATH} is {seen}"


def check_program_and_notes_untouched(hosts):
    """Program, init script and notes are as they were, and nothing was added beside the settings."""
    sources = {
        "/usr/local/sbin/meterd": "meterd",
        "/etc/init.d/meter": "init-script",
        "/etc/meter/notes.txt": "notes.txt",
    }
    for name, host in hosts.items():
        for path, source in sources.items():
            file = host.file(path)
            assert file.exists, f"{name}: {path} is gone"
            assert file.content_string == read_source(source), f"{name}: {path} was changed"
        seen = set(host.run("find /etc/meter -mindepth 1").stdout.split())
        assert seen == {PATH, "/etc/meter/notes.txt"}, f"{name}: /etc/meter holds {sorted(seen)}"
