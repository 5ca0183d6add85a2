# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The settings of both shops, compared as data and not as text."""

import json
from pathlib import Path

WANTED = {
    ("service", "listen", "port"): 9090,
    ("service", "workers"): 8,
    ("database", "pool", "max"): 20,
    ("logging", "level"): "warning",
    ("logging", "format"): "json",
}
FEATURES = {"shop-a": ["search", "wishlist", "giftcards"], "shop-b": ["giftcards", "reviews"]}
DERIVED = {
    "shop-a": ["DB_CONNECTIONS=160", "LISTEN=10.20.0.5:9090"],
    "shop-b": ["DB_CONNECTIONS=160", "LISTEN=10.20.0.9:9090"],
}


def flatten(value, path=()):
    """The leaves of nested objects by their path; an empty object is a leaf."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {leaf: v for key, part in value.items() for leaf, v in flatten(part, (*path, key)).items()}


def read_settings(host):
    """The host's settings as leaves."""
    return flatten(json.loads(host.file("/etc/shop/settings.json").content_string))


def read_old_settings(name):
    """The settings that the host had at the start, as leaves."""
    return flatten(json.loads(Path(__file__).with_name("environment").joinpath(f"{name}.json").read_text("utf-8")))


def is_same(one, other):
    """Equal in value and in type: 9090 is not "9090", true is not 1."""
    return json.dumps(one) == json.dumps(other)


def check_settings_are_json(hosts):
    """The file can be read and holds an object."""
    for name, host in hosts.items():
        text = host.file("/etc/shop/settings.json").content_string
        try:
            seen = json.loads(text)
        except ValueError as error:
            raise AssertionError(f"{name}: {error}: {text[:300]!r}") from error
        assert isinstance(seen, dict), f"{name}: the file holds {text[:300]!r}"


def check_wanted_settings(hosts):
    """The five settings have their new values, as numbers or strings."""
    for name, host in hosts.items():
        settings = read_settings(host)
        for path, wanted in WANTED.items():
            seen = settings.get(path)
            assert is_same(seen, wanted), f"{name}: {'.'.join(path)} is {seen!r}, wanted {wanted!r}"


def check_features(hosts):
    """The new feature stands in the list once, the others as they stood."""
    for name, host in hosts.items():
        seen = read_settings(host).get(("features",))
        assert seen == FEATURES[name], f"{name}: features are {seen}, wanted {FEATURES[name]}"


def check_other_settings_untouched(hosts):
    """No other setting is lost, added or changed."""
    for name, host in hosts.items():
        ours = {*WANTED, ("features",)}
        before = {path: v for path, v in read_old_settings(name).items() if path not in ours}
        after = {path: v for path, v in read_settings(host).items() if path not in ours}
        lost = sorted(".".join(path) for path in before.keys() - after.keys())
        added = sorted(".".join(path) for path in after.keys() - before.keys())
        assert not lost, f"{name}: lost {', '.join(lost)}"
        assert not added, f"{name}: added {', '.join(added)}"
        changed = [f"{'.'.join(path)}: {v!r}" for path, v in after.items() if not is_same(v, before[path])]
        assert not changed, f"{name}: changed {'; '.join(changed)}"


def check_permissions(hosts):
    """Both files have the wanted owner, group and mode."""
    for name, host in hosts.items():
        for path, wanted in (
            ("/etc/shop/settings.json", ("root", "www-data", "640")),
            ("/etc/shop/derived.env", ("root", "root", "644")),
        ):
            file = host.file(path)
            assert file.exists, f"{name}: {path} does not exist"
            seen = (file.user, file.group, f"{file.mode:o}")
            assert seen == wanted, f"{name}: {path}: {seen}, wanted {wanted}"


def check_derived_settings(hosts):
    """The derived file holds the two lines that follow from the host's own settings."""
    for name, host in hosts.items():
        file = host.file("/etc/shop/derived.env")
        assert file.exists, f"{name}: {file.path} does not exist"
        seen = sorted(line.strip() for line in file.content_string.splitlines() if line.strip())
        assert seen == DERIVED[name], f"{name}: {file.path} holds {seen}, wanted {DERIVED[name]}"
