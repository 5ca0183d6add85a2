# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Every host finds every other by name; lines of other people are still there."""

DOMAIN = "corp.example"
OTHERS = (
    "# facilities, ask before you change these",
    "192.0.2.50 printer.corp.example printer",
    "192.0.2.77\tapp10.corp.example app10",
    "192.0.2.80 web1.lab.example",
    "# app1.corp.example moved to the new rack in spring",
)


def read_addresses(hosts):
    """The IPv4 address of each host's eth0, by the host's name."""
    command = 'ip -4 -o addr show dev eth0 | awk \'{ sub("/.*", "", $4); print $4 }\''
    return {name: host.run(command).stdout.split()[0] for name, host in hosts.items()}


def read_entries(host):
    """What /etc/hosts says: pairs of an address and its names."""
    lines = [line.partition("#")[0].split() for line in host.file("/etc/hosts").content_string.splitlines()]
    return [(fields[0], fields[1:]) for fields in lines if fields]


def check_full_names_resolve(hosts):
    """Each host resolves each full name to the present address."""
    addresses = read_addresses(hosts)
    for name, host in hosts.items():
        known = {other for _, names in read_entries(host) for other in names}
        for full in (*(f"{other}.{DOMAIN}" for other in addresses), f"db.{DOMAIN}"):
            # A name that is not in the file would be asked of a name server that nobody can reach.
            assert full in known, f"{name}: /etc/hosts does not know {full}"
            seen = set(host.run(f"getent ahostsv4 {full} | awk '{{ print $1 }}'").stdout.split())
            wanted = {addresses["db1" if full == f"db.{DOMAIN}" else full.partition(".")[0]]}
            assert seen == wanted, f"{name}: {full} resolves to {seen or 'nothing'}, not to {wanted}"


def check_one_line_each(hosts):
    """Each host has one line for each full name, with the short name behind it."""
    for name, host in hosts.items():
        entries = read_entries(host)
        for other, address in read_addresses(hosts).items():
            found = [entry for entry in entries if f"{other}.{DOMAIN}" in entry[1]]
            assert len(found) == 1, f"{name}: {len(found)} lines for {other}.{DOMAIN}: {found}"
            wanted = [f"{other}.{DOMAIN}", other]
            assert found[0][0] == address, f"{name}: the line for {other} has the address {found[0][0]}, not {address}"
            assert found[0][1][:2] == wanted, f"{name}: the line for {other} names {found[0][1]}, not first {wanted}"


def check_database_alias(hosts):
    """db.corp.example is a further name on the line of the database's host, everywhere, and on no other line."""
    address = read_addresses(hosts)["db1"]
    for name, host in hosts.items():
        found = [entry for entry in read_entries(host) if f"db.{DOMAIN}" in entry[1]]
        assert [entry[0] for entry in found] == [address], (
            f"{name}: lines with db.{DOMAIN}: {found}, not one for {address}"
        )
        assert f"db1.{DOMAIN}" in found[0][1], f"{name}: db.{DOMAIN} is not on the line of db1: {found[0]}"


def check_no_other_address(hosts):
    """No line gives one of the names another address."""
    for name, host in hosts.items():
        for other, address in read_addresses(hosts).items():
            names = {f"{other}.{DOMAIN}"} | ({f"db.{DOMAIN}"} if other == "db1" else set())
            wrong = [entry for entry in read_entries(host) if entry[0] != address and names & set(entry[1])]
            assert not wrong, f"{name}: lines with another address than {address} for {other}: {wrong}"


def check_other_lines_untouched(hosts):
    """Lines of other people stand where they stood, once each."""
    for name, host in hosts.items():
        lines = host.file("/etc/hosts").content_string.splitlines()
        kept = [line for line in lines if line in OTHERS]
        assert kept == list(OTHERS), f"{name}: of the lines that must stay there are {kept}"
        assert any(line.split() == ["127.0.0.1", "localhost"] for line in lines), f"{name}: localhost is gone: {lines}"
    lines = hosts["db1"].file("/etc/hosts").content_string.splitlines()
    assert "192.0.2.90 mail.corp.example mail" in lines, f"db1: the line of mail.corp.example is gone: {lines}"


def check_owner_and_mode(hosts):
    """The file belongs to root and everybody may read it."""
    for name, host in hosts.items():
        file = host.file("/etc/hosts")
        seen = (file.user, file.group, oct(file.mode))
        assert seen == ("root", "root", "0o644"), f"{name}: /etc/hosts is {seen}"
