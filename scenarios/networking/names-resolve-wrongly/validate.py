# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The shops reach the service by its name, because the causes are mended; entries of others are still there."""

import re

SERVICE = "stock.corp.example"
OWN_NAMES = {SERVICE, "stock"}
OTHER_ANSWERS = {
    "ldap.corp.example": "10.66.0.5",
    "overstock.corp.example": "10.66.0.21",
    "printer.corp.example": "10.66.0.50",
    "wiki.corp.example": "10.66.0.60",
}
HOSTS_LINES = {
    "names": ["# answered to everybody, ask before you change these", "10.66.0.60 wiki.corp.example wiki"],
    "shop1": [
        "# label machine, facilities",
        "# stock.corp.example is asked for by the tills",
        "10.66.0.21 overstock.corp.example overstock",
        "10.66.0.31 stock.corp.example.lab.example",
    ],
    "shop2": ["# stock-taking, until the end of the year", "10.66.0.40 livestock.corp.example livestock"],
}
RESOLVER_LINES = ["# office network", "search corp.example", "options timeout:1 attempts:1"]
SERVICE_LINES = [
    "# one line for each service",
    "host-record=ldap.corp.example,10.66.0.5",
    "# stock.corp.example moves in autumn",
    "host-record=overstock.corp.example,10.66.0.21",
    "host-record=stock.corp.example.lab.example,10.66.0.31",
]
NSSWITCH_LINES = [
    "# Name services; the users are local.",
    *("passwd:files", "group:files", "shadow:files", "gshadow:files", "networks:files"),
    *("protocols:db files", "services:db files"),
]
FILES = {
    "/etc/default/dnsmasq": "725ba66b758167d336a1bc32524dec9b8d2bb8083d17b645ec7e777aa1a04728",
    "/etc/dnsmasq.conf": "5b332a4787eeae3f82bdb2f4323fe5fe469a4c14f4835ebf0126e2177b04c756",
    "/etc/dnsmasq.d/20-printers.conf": "c40897c6b9bccebdaefd18f7c9a072a18501ab2648f927a1f82ac3a4d86959fb",
}


def take_shops(hosts):
    """The shops by name."""
    return {name: host for name, host in hosts.items() if name.startswith("shop")}


def read_address(host):
    """The IPv4 address of a host's eth0."""
    shown = host.run("ip -4 -o addr show dev eth0").stdout
    found = re.search(r" inet ([0-9.]+)/", shown)
    assert found, f"eth0 has no address: {shown}"
    return found[1]


def read_lines(host, path):
    """The lines of a file."""
    return host.file(path).content_string.splitlines()


def ask(client, server, name):
    """The addresses that a name server tells a client, or the word for why there are none."""
    ran = client.run(f"nslookup -type=a {name} {server}")
    if refusal := re.search(r"can't find \S+: (\w+)", ran.stdout + ran.stderr):
        return [refusal[1]]
    answer = ran.stdout.partition("\n\n")[2]
    return re.findall(r"^Address: (\S+)", answer, re.MULTILINE) or [(ran.stdout + ran.stderr).strip()]


def check_service_answers_by_its_name(hosts):
    """On each shop the service is reached by its full name."""
    for name, host in take_shops(hosts).items():
        ran = host.run(f"curl -sS -m 8 http://{SERVICE}:8090/")
        assert ran.stdout.strip() == "stock on store", f"{name}: {ran.stdout.strip() or ran.stderr.strip()}"


def check_shops_resolve_both_names(hosts, store):
    """On each shop both names lead to the present address of the service's host and to nothing else."""
    wanted = {read_address(store)}
    for name, host in take_shops(hosts).items():
        for service in sorted(OWN_NAMES):
            seen = set(host.run(f"getent ahostsv4 {service} | awk '{{ print $1 }}'").stdout.split())
            assert seen == wanted, f"{name}: {service} leads to {seen or 'nothing'}, not to {wanted}"


def check_name_server_answers_right(hosts, names, store):
    """The running name server tells each shop the present address and no other."""
    for name, host in take_shops(hosts).items():
        seen = ask(host, read_address(names), SERVICE)
        assert seen == [read_address(store)], f"{name} is told {seen} for {SERVICE}, not {read_address(store)}"


def check_services_file_has_the_present_address(names, store):
    """The file of services has one record for the service, with the present address."""
    lines = read_lines(names, "/etc/dnsmasq.d/10-services.conf")
    seen = [line for line in lines if line.startswith(f"host-record={SERVICE},")]
    assert seen == [f"host-record={SERVICE},{read_address(store)}"], f"records of {SERVICE}: {seen or 'none'}"


def check_hosts_files_do_not_name_the_service(hosts):
    """No /etc/hosts gives one of the two names an address, be it right or wrong."""
    for name, host in hosts.items():
        lines = read_lines(host, "/etc/hosts")
        seen = [line for line in lines if OWN_NAMES & set(line.partition("#")[0].split()[1:])]
        assert not seen, f"{name}: /etc/hosts says {seen}"


def check_shops_ask_the_name_server_alone(hosts, names):
    """Each shop asks its own file and then the one name server."""
    for name, host in take_shops(hosts).items():
        servers = [line.split()[1:] for line in read_lines(host, "/etc/resolv.conf") if line.startswith("nameserver")]
        assert servers == [[read_address(names)]], f"{name}: the name servers are {servers}, not {read_address(names)}"
        lines = [line.partition("#")[0] for line in read_lines(host, "/etc/nsswitch.conf")]
        seen = [line.split()[1:] for line in lines if line.startswith("hosts:")]
        assert seen == [["files", "dns"]], f"{name}: hosts in nsswitch.conf: {seen}, not files dns"


def check_other_entries_untouched(hosts):
    """Comments and entries of others stand in each /etc/hosts, the label machine's without our name."""
    for name, wanted in HOSTS_LINES.items():
        lines = read_lines(hosts[name], "/etc/hosts")
        seen = [line for line in lines if line in wanted]
        assert seen == wanted, f"{name}: of the lines that must stay there are {seen}"
        assert any(line.split()[:2] == ["127.0.0.1", "localhost"] for line in lines), f"{name}: localhost is gone"
    entries = [line.partition("#") for line in read_lines(hosts["shop1"], "/etc/hosts") if "label.corp" in line]
    seen = [(*entry.split(), comment.strip()) for entry, _, comment in entries]
    wanted = [("10.66.0.12", "label.corp.example", "label", "since the fair")]
    assert seen == wanted, f"shop1: lines of the label machine: {seen}, not {wanted}"


def check_other_settings_untouched(hosts, names):
    """The other settings of resolvers and name server are as they were, and its other names are answered."""
    for name, host in take_shops(hosts).items():
        lines = read_lines(host, "/etc/resolv.conf")
        seen = [line for line in lines if line.strip() and not line.startswith("nameserver")]
        assert seen == RESOLVER_LINES, f"{name}: other lines of resolv.conf: {seen}"
    lines = [re.sub(r":\s+", ":", line) for line in read_lines(hosts["shop2"], "/etc/nsswitch.conf")]
    seen = [line for line in lines if line.strip() and not line.startswith("hosts:")]
    assert seen == NSSWITCH_LINES, f"shop2: other lines of nsswitch.conf: {seen}"
    lines = read_lines(names, "/etc/dnsmasq.d/10-services.conf")
    seen = [line for line in lines if line in SERVICE_LINES]
    assert seen == SERVICE_LINES, f"10-services.conf: of the lines that must stay there are {seen}"
    for path, digest in FILES.items():
        assert names.run(f"sha256sum {path}").stdout.split()[:1] == [digest], f"names: {path} was changed"
    found = sorted(names.run("find /etc/dnsmasq.d -mindepth 1 ! -name README").stdout.split())
    assert [path.rpartition("/")[2] for path in found] == ["10-services.conf", "20-printers.conf"], f"there are {found}"
    told = {name: ask(hosts["shop1"], read_address(names), name) for name in OTHER_ANSWERS}
    assert told == {name: [address] for name, address in OTHER_ANSWERS.items()}, f"the name server tells {told}"


def check_owner_and_mode(hosts):
    """The files that were to be changed belong to root, and everybody may read them."""
    shops = ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf")
    paths = {"names": ("/etc/hosts", "/etc/dnsmasq.d/10-services.conf"), "shop1": shops, "shop2": shops}
    for name, mine in paths.items():
        for path in mine:
            file = hosts[name].file(path)
            seen = (file.user, file.group, oct(file.mode))
            assert seen == ("root", "root", "0o644"), f"{name}: {path} is {seen}"
