# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What is published after the data changed, and what was published before: texts and serial numbers."""

NOW, FIRST, LISTS = "/etc/addresses", "/root/first-run", "/srv/addresses"
OFFICE = {"copier": "198.51.100.20", "printer": "198.51.100.11", "reception": "198.51.100.10"}
LAB = {"bench": "203.0.113.4", "scope": "203.0.113.5"}
HOSTS = {
    FIRST: {
        "plant": {"boiler": "192.0.2.30", "press-1": "192.0.2.31", "press-2": "192.0.2.32"},
        "office": OFFICE,
        "lab": LAB,
    },
    NOW: {
        "plant": {"boiler": "192.0.2.30", "press-10": "192.0.2.40", "press-2": "192.0.2.33"},
        "office": OFFICE,
        "lab": LAB,
        "yard": {"gate": "203.0.113.70"},
    },
}
DATA = {
    "plant.yml": "c5c4e78b5ab349772b4b5e2aa04d02ec4bc5a12a4c4e1ce4dc4bb3770f878f94",
    "office.yml": "3f4385d33bcd16f8fe2a8d760dd9ff7a67f954de09c28fd80c8e880f2bb6d49b",
    "lab.yml": "eef3f8a437a995110a7ed7cb750f6a307c97ac11332a0a940b47c4ab5a28a5c0",
    "yard.yml": "267774b1815cefab57bdef82b41e4f00d97609640d6247d50d5f5a74a9b89400",
    "attic.yml.off": "4030c0bd0224d46a997ea308653e337d51a5dda04620b7da6cc8750d85756509",
}
LEGACY = "b853f854e6511080ef9579842ca5c9dd6bd09e1b094e79e2e485040bcc975c69"


def make_text(place, zone, serial):
    """A published list, as the example lays it out."""
    head = [
        f"$ORIGIN {zone}.example.",
        "$TTL 3600",
        f"@ IN SOA ns1.example. hostmaster.example. {serial} 7200 900 1209600 300",
        "@ IN NS ns1.example.",
    ]
    return "\n".join([*head, *(f"{name} IN A {address}" for name, address in HOSTS[place][zone].items()), ""])


def read_zone(host, place, zone):
    """The text that is or was published for a list."""
    when = "after the first run" if place == FIRST else "in the end"
    assert host.file(f"{place}/{zone}.zone").exists, f"there is no {zone}.zone {when}"
    return host.file(f"{place}/{zone}.zone").content_string


def read_serial(host, place, zone):
    """The serial number of a published list."""
    lines = [line.split() for line in read_zone(host, place, zone).splitlines() if " SOA " in line]
    assert len(lines) == 1, f"{zone}.zone has {len(lines)} lines with SOA"
    assert len(lines[0]) > 5, f"{zone}.zone has no serial in {lines[0]}"
    return lines[0][5]


def check_hosts_by_name(ns1):
    """The hosts of each list, in the order of their names, before the change and after it."""
    for place, zones in HOSTS.items():
        for zone, wanted in zones.items():
            lines = [line.split() for line in read_zone(ns1, place, zone).splitlines() if " A " in line]
            seen = {line[0]: line[-1] for line in lines}
            assert seen == wanted, f"{place}/{zone}.zone has {seen}, not {wanted}"
            assert list(seen) == sorted(wanted), f"{place}/{zone}.zone has its hosts in the order {list(seen)}"


def check_serials_of_the_first_run(ns1):
    """Before the change: one more where the text was old, 1 for a new file, the old one where nothing was new."""
    seen = {zone: read_serial(ns1, FIRST, zone) for zone in HOSTS[FIRST]}
    wanted = {"plant": "100", "office": "7", "lab": "1"}
    assert seen == wanted, f"the serials after the first run are {seen}, not {wanted}"


def check_changed_list_counts_on(ns1):
    """The list whose data changed between the runs has the next serial, once more and not twice."""
    seen = read_serial(ns1, NOW, "plant")
    assert seen == "101", f"plant.zone has the serial {seen}, not 101"


def check_new_list_published(ns1):
    """The list that came between the runs is there, with serial 1."""
    seen = read_zone(ns1, NOW, "yard")
    assert seen == make_text(NOW, "yard", 1), f"yard.zone is {seen!r}"


def check_unchanged_lists_untouched(ns1):
    """Lists without a new host or address are as they were, to the letter, also where comments and order changed."""
    for zone, serial in (("office", 7), ("lab", 1)):
        seen = read_zone(ns1, NOW, zone)
        assert seen == make_text(NOW, zone, serial), f"{zone}.zone is {seen!r}"


def check_texts_are_exact(ns1):
    """All lines stand as in the example, whatever the serial."""
    for place, zones in HOSTS.items():
        for zone in zones:
            wanted = make_text(place, zone, read_serial(ns1, place, zone))
            seen = read_zone(ns1, place, zone)
            assert seen == wanted, f"{place}/{zone}.zone is {seen!r}, not {wanted!r}"


def check_owners_and_modes(ns1):
    """What is published belongs to root and everybody may read it."""
    for zone in HOSTS[NOW]:
        file = ns1.file(f"{NOW}/{zone}.zone")
        assert file.exists, f"there is no {zone}.zone"
        seen = (file.user, file.group, oct(file.mode))
        assert seen == ("root", "root", "0o644"), f"{zone}.zone is {seen}"


def check_lists_and_other_files_untouched(ns1):
    """The data and the zone without a list are as they were, and nothing else was published."""
    for name, digest in DATA.items():
        seen = ns1.run(f"sha256sum {LISTS}/{name}").stdout.split()
        assert seen[:1] == [digest], f"{LISTS}/{name} was changed"
    seen = ns1.run(f"sha256sum {NOW}/legacy.zone").stdout.split()
    assert seen[:1] == [LEGACY], "legacy.zone was changed"
    zones = set(ns1.run(f"find {NOW} -name '*.zone'").stdout.split())
    wanted = {f"{NOW}/{zone}.zone" for zone in (*HOSTS[NOW], "legacy")}
    assert zones == wanted, f"published are {sorted(zones)}, not {sorted(wanted)}"
    files = set(ns1.run(f"find {LISTS} -type f").stdout.split())
    assert files == {f"{LISTS}/{name}" for name in DATA}, f"the lists are {sorted(files)}"
