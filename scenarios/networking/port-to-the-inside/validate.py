# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Who gets through which door, now and after the next start; the rules of others are still in force."""

import re

FILES = {
    "/etc/nftables.conf": "a5909f75cc154d042c400f5f6296dc34eb99143ad9b448a922f1c344065cc1c2",
    "/etc/nftables.d/guard.nft": "2743e016d7e4828f02bc515f17fa4c59917b036a39aa937eadc666a7c07b1c03",
}
OWN_FILE = "/etc/nftables.d/doors.nft"
BANNED = {"192.0.2.66", "192.0.2.99", "198.51.100.4"}


def read_address(host):
    """The IPv4 address of a host's eth0."""
    shown = host.run("ip -4 -o addr show dev eth0").stdout
    found = re.search(r" inet ([0-9.]+)/", shown)
    assert found, f"eth0 has no address: {shown}"
    return found[1]


def ask(client, address, port):
    """What a client is told at a port; nothing where it is closed."""
    return client.run(f"timeout 2 nc -w 1 {address} {port}").stdout.strip()


def assert_forwarded(guest, gate):
    """The forwarded port answers the guest, and the inner machine sees the gate."""
    address = read_address(gate)
    seen = ask(guest, address, 8443)
    assert seen.startswith("orders for "), f"port 8443 of gate tells guest {seen or 'nothing'}"
    assert seen == f"orders for {address}", f"inner sees the sender in {seen!r}, not the gate's {address}"


def assert_metrics_for_inner_alone(gate, inner, guest):
    """Port 9000 answers the inner machine, and does not answer the guest."""
    address = read_address(gate)
    seen = ask(inner, address, 9000)
    assert seen == f"metrics for {read_address(inner)}", f"port 9000 of gate tells inner {seen or 'nothing'}"
    seen = ask(guest, address, 9000)
    assert not seen, f"port 9000 of gate tells guest {seen!r}"


def check_forwarded_port_reaches_the_inner_machine(gate, guest):
    """A guest who connects to the gate's port is served by the inner machine, which sees the gate as sender."""
    assert_forwarded(guest, gate)


def check_ssh_open_to_all(gate, inner, guest):
    """Both other hosts reach the gate's ssh server."""
    for name, client in (("inner", inner), ("guest", guest)):
        seen = ask(client, read_address(gate), 22)
        assert seen.startswith("SSH-2.0-"), f"port 22 of gate tells {name} {seen or 'nothing'}"


def check_metrics_open_to_inner_alone(gate, inner, guest):
    """The gate's metrics are told to the inner machine and to nobody else."""
    assert_metrics_for_inner_alone(gate, inner, guest)


def check_other_ports_closed(gate, inner, guest):
    """The gate's console, which nobody named, does not answer other hosts."""
    for name, client in (("inner", inner), ("guest", guest)):
        seen = ask(client, read_address(gate), 9100)
        assert not seen, f"port 9100 of gate tells {name} {seen!r}"


def check_gate_itself_is_not_cut_off(gate, inner):
    """The gate reaches its own services over the loopback interface, and the inner machine, by its name as well."""
    seen = ask(gate, "127.0.0.1", 9100)
    assert seen == "console for 127.0.0.1", f"port 9100 tells gate itself {seen or 'nothing'}"
    address = read_address(inner)
    seen = ask(gate, address, 8080)
    assert seen == f"orders for {read_address(gate)}", f"port 8080 of inner tells gate {seen or 'nothing'}"
    found = gate.run("getent ahostsv4 inner | awk '{ print $1 }'").stdout.split()
    assert address in found, f"on gate, inner resolves to {found or 'nothing'}"


def check_rules_stand_in_their_file_and_table(gate):
    """The table is there, the only new one, and its file belongs to root and can be read by nftables."""
    file = gate.file(OWN_FILE)
    assert file.exists, f"there is no {OWN_FILE}"
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("root", "root", "0o644"), f"{OWN_FILE} is {seen}"
    ran = gate.run(f"nft --check --file {OWN_FILE}")
    assert ran.rc == 0, f"nft does not accept {OWN_FILE}: {ran.stderr.strip()}"
    before = set(gate.file("/run/tables-at-start").content_string.splitlines())
    added = set(gate.run("nft list tables").stdout.splitlines()) - before
    assert added == {"table inet doors"}, f"new tables: {sorted(added) or 'none'}"


def check_guards_table_untouched(gate):
    """The security team's rule is in force once, and its set has the addresses that were added since the start."""
    ran = gate.run("nft list set inet guard banned")
    seen = set(re.findall(r"[0-9]+(?:\.[0-9]+){3}", ran.stdout))
    assert seen == BANNED, f"banned are {sorted(seen) or ran.stderr.strip()}, not {sorted(BANNED)}"
    rules = [line.strip() for line in gate.run("nft list chain inet guard input").stdout.splitlines()]
    assert rules.count("ip saddr @banned drop") == 1, f"the guard's rules are {rules}"


def check_other_files_untouched(gate):
    """No other file of rules was changed or added."""
    for path, digest in FILES.items():
        seen = gate.run(f"sha256sum {path}").stdout.split()
        assert seen[:1] == [digest], f"{path} was changed"
    found = set(gate.run("find /etc/nftables.d -mindepth 1").stdout.split())
    assert found <= {*FILES, OWN_FILE}, f"in /etc/nftables.d there are {sorted(found)}"


# What follows reads all rules anew, so that it comes last.


def check_next_start_brings_the_same_rules(gate, inner, guest):
    """After a start the doors are as they are now, and the security team's rule is there."""
    ran = gate.run("nft -f /etc/nftables.conf")
    assert ran.rc == 0, f"nft -f /etc/nftables.conf: {ran.stderr.strip()}"
    assert_forwarded(guest, gate)
    assert_metrics_for_inner_alone(gate, inner, guest)
    rules = gate.run("nft list chain inet guard input").stdout
    assert "ip saddr @banned drop" in rules, f"the guard's rules after the start: {rules.strip()}"
