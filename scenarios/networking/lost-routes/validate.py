# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Traffic takes the wanted way now and after the next start; routes and lines of other people are still there."""

import json

LINKS = ("eth1", "eth2")
WANTED = {
    "10.71.0.0/16": ("10.70.1.1", "eth1"),
    "10.72.0.0/16": ("10.70.2.1", "eth2"),
    "10.72.8.0/24": ("10.70.1.9", "eth1"),
    "192.168.40.0/24": ("10.70.2.7", "eth2"),
}
RETIRED = "10.99.0.0/16"
OTHERS = {
    "10.80.0.0/16": ("10.70.1.5", "eth1", 50, "3"),
    "10.81.4.0/22": ("10.70.2.40", "eth2", None, "3"),
    "10.90.0.0/16": ("10.70.1.30", "eth1", None, "12"),
}
KEPT = {
    "plant": """# plant floor; the old drives need the small MTU
auto eth1
iface eth1 inet static
    address 10.70.1.2/24
    mtu 1400
    # backup team, until their own link is there
    up ip route add 10.80.0.0/16 via 10.70.1.5 metric 50
""",
    "store": """# stores and archive
auto eth2
iface eth2 inet static
    address 10.70.2.2/24
    # label printers, facilities
    up ip route add 10.81.4.0/22 via 10.70.2.40
""",
}
OTHER_FILES = {
    "interfaces": "e57bb492376821389ecfe737fcf3e72716c4cf681a0a32abb96abd443fa5cc6d",
    "interfaces.d/spare": "e9fdba55a3fcc2988c4a922ece6cade01cffbf9cfdecc82bc3ab5867c430f837",
}


def read_routes(host, network):
    """The kernel's routes to exactly this network, as triples of router, interface and metric with its origin."""
    ran = host.run(f"ip -N -json -details -4 route show exact {network}")
    routes = json.loads(ran.stdout or "[]")
    return [(way.get("gateway"), way.get("dev"), way.get("metric"), way.get("protocol")) for way in routes]


def describe(routes):
    """Routes in words."""
    return [f"via {router} dev {link}" + (f" metric {metric}" if metric else "") for router, link, metric, _ in routes]


def find_wrong(host):
    """The wanted networks to which there is not exactly the wanted route, with the routes there are."""
    seen = {network: read_routes(host, network) for network in WANTED}
    return {
        network: describe(routes)
        for network, routes in seen.items()
        if [(router, link) for router, link, *_ in routes] != [WANTED[network]]
    }


def start_anew(host):
    """Bring both links up from their files, as a start does: nothing of the present addresses and routes is left."""
    for link in LINKS:
        host.run(
            f"ifdown --force {link}; ip -4 route flush dev {link}; ip addr flush dev {link}; ip link set {link} down"
        )
    return [(link, host.run(f"ifup {link}")) for link in LINKS]


def check_traffic_takes_the_wanted_way(relay):
    """A packet to each of the four networks leaves for the wanted router."""
    for network, wanted in WANTED.items():
        address = network.partition("/")[0][:-1] + "7"
        ran = relay.run(f"ip -json -4 route get {address}")
        ways = json.loads(ran.stdout or "[]")
        seen = [(way.get("gateway"), way.get("dev")) for way in ways]
        assert seen == [wanted], f"{address} goes {seen or ran.stderr.strip()}, not {wanted}"


def check_one_route_for_each_network(relay):
    """The kernel has exactly the wanted route to each of the four networks, and none beside it."""
    wrong = find_wrong(relay)
    assert not wrong, f"routes of the kernel that are not the wanted one alone: {wrong}"


def check_retired_network_has_no_route(relay):
    """The kernel has no route to the network that is no more."""
    seen = read_routes(relay, RETIRED)
    assert not seen, f"the kernel has a route to {RETIRED}: {describe(seen)}"


def check_other_routes_untouched(relay):
    """The routes of other people are in the kernel as they were, and so is the one that stands in no file."""
    for network, wanted in OTHERS.items():
        seen = read_routes(relay, network)
        assert seen == [wanted], f"routes to {network}: {seen or 'none'}, not {wanted}"


def check_other_lines_kept(relay):
    """What is not about these networks stands in the two files as it stood, once each."""
    for name, text in KEPT.items():
        lines = relay.file(f"/etc/network/interfaces.d/{name}").content_string.splitlines()
        kept = text.splitlines()
        seen = [line for line in lines if line in kept]
        assert seen == kept, f"{name}: of the lines that must stay there are {seen}"


def check_owner_and_mode(relay):
    """The two files belong to root, and everybody may read them."""
    for name in KEPT:
        file = relay.file(f"/etc/network/interfaces.d/{name}")
        seen = (file.user, file.group, oct(file.mode))
        assert seen == ("root", "root", "0o644"), f"{name} is {seen}"


def check_other_files_untouched(relay):
    """No other file below /etc/network was changed, and none was added to the interfaces' files."""
    for name, digest in OTHER_FILES.items():
        seen = relay.run(f"sha256sum /etc/network/{name}").stdout.split()
        assert seen[:1] == [digest], f"/etc/network/{name} was changed"
    seen = sorted(relay.run("find /etc/network/interfaces.d -mindepth 1").stdout.split())
    assert [path.rpartition("/")[2] for path in seen] == ["plant", "spare", "store"], f"there are {seen}"


# What follows takes the links down, so that it comes last.


def check_next_start_brings_the_wanted_routes(relay):
    """Both links come up from their files, with their addresses and with exactly the wanted routes."""
    for link, ran in start_anew(relay):
        assert ran.rc == 0, f"ifup {link} fails: {(ran.stderr or ran.stdout).strip()}"
    wrong = find_wrong(relay)
    assert not wrong, f"routes after the next start that are not the wanted one alone: {wrong}"
    addresses = relay.run("ip -4 -o addr show").stdout
    for address in ("10.70.1.2/24", "10.70.2.2/24"):
        assert f" {address} " in addresses, f"after the next start there is no address {address}"


def check_next_start_brings_no_retired_network(relay):
    """There is no route to the network that is no more after the next start, and those of other people are there."""
    start_anew(relay)
    seen = read_routes(relay, RETIRED)
    assert not seen, f"the next start brings a route to {RETIRED}: {describe(seen)}"
    for network in ("10.80.0.0/16", "10.81.4.0/22"):
        assert read_routes(relay, network), f"the next start brings no route to {network}"
