# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Each machine of the fleet greets with its own banner, to the letter; nothing else was touched."""

MOTD, FACTS = "/etc/motd", "/etc/ansible/facts.d/site.fact"
WIDE, THIN = "=" * 50, "-" * 50
PRODUCTION = "PRODUCTION: every change needs a ticket"
FLEET = {
    "web1": {
        "details": ["owner       Shop & Checkout", "rack        A-02"],
        "services": [
            "nginx                   80",
            "tls-proxy              443",
            "varnish               6081",
            "node-exporter         9100",
        ],
        "production": True,
        "facts": "6162f7bb950e1dbe533859c675e45455375c7a6464e1f2d9f89dc5c5cb050a45",
    },
    "db1": {
        "details": ["owner       Data Platform", "rack        B-11", "window      Sundays 03:00-05:00"],
        "services": ["postgresql            5432", "pgbouncer             6432", "pgbackrest            8432"],
        "production": True,
        "facts": "92d69f8cabdcef2307eca83aeb83fc6a6e76d740a18e8fc50704421be4f41b4e",
    },
    "batch1": {
        "details": ["owner       Reporting", "rack        B-12", "window      any day until 18:00"],
        "services": ["no services"],
        "production": False,
        "facts": "d2f2f6837a08ea76e47b5ab277b48db9cde93bf3f4c7b93cf09fba2e694c1e8a",
    },
}
ISSUE = "Authorised users only. Host \\n, line \\l\n\n"
LAB_MOTD = "Play here as you like.\n"


def take_fleet(hosts):
    """The hosts of the fleet with what they are."""
    return [(hosts[name], name, machine) for name, machine in FLEET.items()]


def read_blocks(host):
    """The banner's lines between its dividers."""
    blocks = [[]]
    for line in host.file(MOTD).content_string.splitlines():
        if line in (WIDE, THIN):
            blocks.append([])
        else:
            blocks[-1].append(line)
    return blocks


def make_header(name):
    """The second line of a banner."""
    return f"{name:<25}{'Debian 13':>25}"


def make_details(host, machine):
    """The lines about a machine."""
    command = 'ip -4 -o addr show dev eth0 | awk \'{ sub("/.*", "", $4); print $4 }\''
    return [f"address     {host.run(command).stdout.split()[0]}", *machine["details"]]


def check_header_is_laid_out(hosts):
    """Below a line of = stand the name and, at the right edge, the system."""
    for host, name, _ in take_fleet(hosts):
        lines = host.file(MOTD).content_string.splitlines()
        wanted = [WIDE, make_header(name), THIN]
        assert lines[:3] == wanted, f"{name}: the first lines are {lines[:3]}, not {wanted}"


def check_details_in_order(hosts):
    """Address, owner, rack and, where there is one, window; values begin in column 13."""
    for host, name, machine in take_fleet(hosts):
        wanted = make_details(host, machine)
        blocks = read_blocks(host)
        assert wanted in blocks, f"{name}: no block between dividers holds {wanted}; there are {blocks}"


def check_services_by_port(hosts):
    """The services stand in the order of their port numbers; without any, the banner says so."""
    for host, name, machine in take_fleet(hosts):
        blocks = read_blocks(host)
        assert machine["services"] in blocks, (
            f"{name}: no block between dividers holds {machine['services']}; there are {blocks}"
        )


def check_production_line_only_where_due(hosts):
    """Machines in production say so, others do not."""
    for host, name, machine in take_fleet(hosts):
        found = host.file(MOTD).content_string.count("PRODUCTION")
        assert found == machine["production"], f"{name}: PRODUCTION stands {found} times in the banner"
        if machine["production"]:
            blocks = read_blocks(host)
            assert [PRODUCTION] in blocks, f"{name}: {PRODUCTION!r} is no block of its own; there are {blocks}"


def check_text_is_exact(hosts):
    """The whole banner, line by line, down to the last line's end."""
    for host, name, machine in take_fleet(hosts):
        wanted = [WIDE, make_header(name), THIN, *make_details(host, machine), THIN, *machine["services"]]
        wanted += [THIN, PRODUCTION, WIDE, ""] if machine["production"] else [WIDE, ""]
        seen = host.file(MOTD).content_string.split("\n")
        for number in range(max(len(wanted), len(seen))):
            pair = [lines[number] if number < len(lines) else "(no line)" for lines in (seen, wanted)]
            assert pair[0] == pair[1], f"{name}: line {number + 1} is {pair[0]!r}, not {pair[1]!r}"


def check_users_see_it_at_login(hosts):
    """Whoever logs in over ssh is shown the banner."""
    options = "-F none -i /root/.ssh/clara -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    for host, name, _ in take_fleet(hosts):
        ran = host.run(f"echo exit | timeout 15 ssh -tt {options} -o ConnectTimeout=5 clara@127.0.0.1")
        lines = [line.rstrip("\r") for line in ran.stdout.splitlines()]
        assert make_header(name) in lines, f"{name}: at the login clara sees {ran.stdout!r} {ran.stderr.strip()}"


def check_owner_and_mode(hosts):
    """The banner belongs to root and everybody may read it."""
    for host, name, _ in take_fleet(hosts):
        file = host.file(MOTD)
        seen = (file.user, file.group, oct(file.mode))
        assert seen == ("root", "root", "0o644"), f"{name}: {MOTD} is {seen}"


def check_other_hosts_and_files_untouched(hosts):
    """The facts files and /etc/issue are as they were, and so is the host outside the group."""
    for host, name, machine in take_fleet(hosts):
        digest = host.run(f"sha256sum {FACTS}").stdout.split()
        assert digest[:1] == [machine["facts"]], f"{name}: {FACTS} was changed"
    for name, host in hosts.items():
        assert host.file("/etc/issue").content_string == ISSUE, f"{name}: /etc/issue was changed"
    seen = hosts["lab1"].file(MOTD).content_string
    assert seen == LAB_MOTD, f"lab1, which is not in group fleet, greets with {seen!r}"
