# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The three files of each node, and what must not have changed beside them."""

from pathlib import Path

PEERS = ["node-c north 7003 10", "node-a north 7001 9"]
ROLES = {"node-a": "follower", "node-b": "drained", "node-c": "leader"}


def read_lines(host, path):
    """The lines of a file that are not blank."""
    file = host.file(path)
    assert file.exists, f"{path} does not exist on {host.run('cat /etc/hostname').stdout.strip()}"
    return [line.strip() for line in file.content_string.splitlines() if line.strip()]


def check_active_peers_are_listed(hosts):
    """Every active node has its line, on each host."""
    for name, host in hosts.items():
        seen = read_lines(host, "/etc/cache/peers.conf")
        missing = [line for line in PEERS if line not in seen]
        assert not missing, f"{name}: peers.conf lacks {missing}; it holds {seen}"


def check_drained_nodes_are_left_out(hosts):
    """No drained node, no old node and no other line is in the roster."""
    for name, host in hosts.items():
        surplus = [line for line in read_lines(host, "/etc/cache/peers.conf") if line not in PEERS]
        assert not surplus, f"{name}: peers.conf also holds {surplus}"


def check_peers_are_in_order(hosts):
    """The heavier node stands first."""
    for name, host in hosts.items():
        seen = [line for line in read_lines(host, "/etc/cache/peers.conf") if line in PEERS]
        assert seen == PEERS, f"{name}: peers.conf has the order {seen}"


def check_leader_is_the_heaviest_active_node(hosts):
    """All hosts name the same leader."""
    for name, host in hosts.items():
        seen = read_lines(host, "/etc/cache/leader")
        assert seen == ["node-c"], f"{name}: leader holds {seen}"


def check_role_of_each_node(hosts):
    """Each host knows its own role."""
    for name, host in hosts.items():
        seen = read_lines(host, "/etc/cache/role")
        assert seen == [ROLES[name]], f"{name}: role holds {seen}"


def check_permissions(hosts):
    """The three files can be read by all and changed by root alone."""
    for name, host in hosts.items():
        for path in ("/etc/cache/peers.conf", "/etc/cache/leader", "/etc/cache/role"):
            file = host.file(path)
            assert file.exists, f"{name}: {path} does not exist"
            seen = (file.user, file.group, f"{file.mode:o}")
            assert seen == ("root", "root", "644"), f"{name}: {path}: {seen}"


def check_local_files_are_untouched(hosts):
    """The settings kept by hand and the nodes' own facts are as they were."""
    place = Path(__file__).with_name("environment")
    for name, host in hosts.items():
        sources = {"/etc/cache/local.conf": "local.conf", "/etc/ansible/facts.d/cache.fact": f"{name}.fact"}
        for path, source in sources.items():
            file = host.file(path)
            assert file.exists, f"{name}: {path} is gone"
            assert file.content_string == place.joinpath(source).read_text("utf-8"), f"{name}: {path} was changed"
        mode = host.file("/etc/cache/local.conf").mode
        assert mode == 0o600, f"{name}: local.conf has mode {mode:o}"
