# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Which features each host has on, and the table that tells of them."""

from pathlib import Path

LIST = "/etc/features/enabled"
TABLE = "/srv/reports/features.csv"
FEATURES = ["chat", "invoices", "new-cart", "old-login", "search"]
ENABLED = {
    "back1": [],
    "desk": ["chat", "invoices", "old-login"],
    "north1": ["new-cart", "search"],
    "north2": ["chat", "invoices", "new-cart", "search"],
    "south1": ["old-login", "search"],
}


def read_lines(name, host):
    """The lines of the host's list."""
    file = host.file(LIST)
    assert file.exists, f"{name}: {LIST} does not exist"
    return [line.strip() for line in file.content_string.splitlines()]


def read_table(desk):
    """The table's cells, line by line."""
    file = desk.file(TABLE)
    assert file.exists, f"desk: {TABLE} does not exist"
    return [line.split(",") for line in file.content_string.splitlines()]


def read_column(desk, name):
    """What the table says of a host, by feature."""
    first, *others = read_table(desk)
    assert name in first, f"desk: the table's first line {first} does not name {name}"
    place = first.index(name)
    return {cells[0]: cells[place] if place < len(cells) else None for cells in others}


def check_groups_decide(hosts):
    """Hosts without an exception have on what follows from their groups, and nothing else."""
    for name in ("north2", "south1"):
        seen = read_lines(name, hosts[name])
        assert sorted(seen) == ENABLED[name], f"{name}: has on {seen}, wanted {ENABLED[name]}"


def check_exceptions_beat_the_groups(hosts):
    """A feature is on for one host and off for another against the rules; their other features follow the rules."""
    for name in ("desk", "back1"):
        seen = [line for line in read_lines(name, hosts[name]) if line.strip("-")]
        assert sorted(seen) == ENABLED[name], f"{name}: has on {seen}, wanted {ENABLED[name]}"


def check_nothing_on_is_a_hyphen(back1):
    """The list of a host with nothing on is a hyphen."""
    seen = read_lines("back1", back1)
    assert seen == ["-"], f"back1: {LIST} has the lines {seen}"


def check_lists_are_in_order(hosts):
    """The names stand in alphabetical order, each of them once."""
    for name, host in hosts.items():
        seen = read_lines(name, host)
        assert seen == sorted(set(seen)), f"{name}: {LIST} has the lines {seen}"


def check_owner_and_mode(hosts):
    """The new lists and the table belong to root and can be read by all."""
    places = [(name, LIST) for name in ENABLED if name != "north1"] + [("desk", TABLE)]
    for name, path in places:
        file = hosts[name].file(path)
        assert file.exists, f"{name}: {path} does not exist"
        seen = (file.user, file.group, f"{file.mode:o}")
        assert seen == ("root", "root", "644"), f"{name}: {path} is {seen}"


def check_frozen_host_untouched(north1):
    """The frozen host has its list and its mark as they were."""
    for path, source in ((LIST, "north1.enabled"), ("/etc/features/frozen", "frozen")):
        file = north1.file(path)
        assert file.exists, f"north1: {path} is gone"
        wanted = Path(__file__).with_name("environment").joinpath(source).read_text("utf-8")
        assert file.content_string == wanted, f"north1: {path} was changed: {file.content_string!r}"
    file = north1.file(LIST)
    seen = (file.user, file.group, f"{file.mode:o}")
    assert seen == ("root", "root", "640"), f"north1: {LIST} is {seen}"


def check_table_has_its_form(desk):
    """The first line names the hosts and the first column the features, in alphabetical order."""
    table = read_table(desk)
    assert table, "desk: the table is empty"
    assert table[0] == ["feature", *sorted(ENABLED)], f"desk: the table's first line is {table[0]}"
    seen = [cells[0] for cells in table[1:]]
    assert seen == FEATURES, f"desk: the table's lines begin with {seen}, wanted {FEATURES}"


def check_table_tells_what_is_on(desk):
    """For each host that is not frozen, the table says on or off as the host's list does."""
    for name in sorted(set(ENABLED) - {"north1"}):
        seen = read_column(desk, name)
        wanted = {feature: "on" if feature in ENABLED[name] else "off" for feature in FEATURES}
        assert seen == wanted, f"desk: the table says of {name}: {seen}, wanted {wanted}"


def check_table_tells_what_the_frozen_host_has(desk):
    """For the frozen host, the table says what its kept list says."""
    seen = [feature for feature, state in read_column(desk, "north1").items() if state == "on"]
    assert seen == ENABLED["north1"], f"desk: the table says that north1 has on: {seen}, wanted {ENABLED['north1']}"


def check_other_files_untouched(hosts):
    """The other files are as they were, and no further one was made."""
    place = Path(__file__).with_name("environment")
    for name, host in hosts.items():
        kept = {"/etc/features/README": "readme.txt"}
        kept |= {"/etc/features/frozen": "frozen"} if name == "north1" else {}
        kept |= {"/srv/reports/features-2023.csv": "old-report.csv"} if name == "desk" else {}
        found = set(host.run("find /etc/features /srv/reports -type f 2>/dev/null").stdout.split())
        surplus = found - {LIST, *kept} - ({TABLE} if name == "desk" else set())
        assert not surplus, f"{name}: there are further files: {sorted(surplus)}"
        for path, source in kept.items():
            assert path in found, f"{name}: {path} is gone"
            text = host.file(path).content_string
            assert text == place.joinpath(source).read_text("utf-8"), f"{name}: {path} was changed: {text!r}"
