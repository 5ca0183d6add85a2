# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What the inner name server answers to a client on the network; what belongs to others is as it was."""

import re

OWN_FILE = "/etc/dnsmasq.d/50-split.conf"
FILES = {
    "resolver": {
        "/etc/dnsmasq.conf": "3990606377c1b789322b50b34fc4eb5cfb25d1d0c7045e355554171d63d2c7c2",
        "/etc/default/dnsmasq": "725ba66b758167d336a1bc32524dec9b8d2bb8083d17b645ec7e777aa1a04728",
        "/etc/dnsmasq.d/20-printers.conf": "f795919676041feec7ee5a4b5cc5d6f250621f8fbef35bad7e3d2dd2900dee77",
    },
    "public": {
        "/etc/dnsmasq.conf": "1253f181b068bce9b03928531738a55e90160d86ed89da2b3aacf170032dbf79",
        "/etc/default/dnsmasq": "725ba66b758167d336a1bc32524dec9b8d2bb8083d17b645ec7e777aa1a04728",
    },
}
PUBLIC_ANSWERS = {"www.shop.example": "203.0.113.10", "status.shop.example": "203.0.113.80"}


def read_address(host):
    """The IPv4 address of a host's eth0."""
    shown = host.run("ip -4 -o addr show dev eth0").stdout
    found = re.search(r" inet ([0-9.]+)/", shown)
    assert found, f"eth0 has no address: {shown}"
    return found[1]


def ask(client, server, name, kind="a"):
    """What a name server tells a client: the addresses or names, or the word for why there are none."""
    ran = client.run(f"nslookup -type={kind} {name} {server}")
    if refusal := re.search(r"can't find \S+: (\w+)", ran.stdout + ran.stderr):
        return refusal[1]
    answer = ran.stdout.partition("\n\n")[2]
    pattern = r"name = (\S+)" if kind == "ptr" else r"^Address: (\S+)"
    return " ".join(sorted(re.findall(pattern, answer, re.MULTILINE))) or (ran.stdout + ran.stderr).strip()


def compare(hosts, wanted, kind="a"):
    """Ask the resolver from the other host; every name must get what is wanted."""
    server = read_address(hosts["resolver"])
    seen = {name: ask(hosts["public"], server, name, kind) for name in wanted}
    wrong = {name: answer for name, answer in seen.items() if answer != wanted[name]}
    assert not wrong, f"the resolver answers {wrong}, not { ({name: wanted[name] for name in wrong}) }"


def check_inner_names_answered(hosts):
    """The three names lead to their inner addresses."""
    compare(
        hosts,
        {"www.shop.example": "10.30.0.10", "mail.shop.example": "10.30.0.25", "wiki.corp.example": "10.30.0.50"},
    )


def check_addresses_lead_back(hosts):
    """The three inner addresses lead back to their names."""
    names = {"10": "www.shop.example", "25": "mail.shop.example", "50": "wiki.corp.example"}
    compare(hosts, {f"{last}.0.30.10.in-addr.arpa": name for last, name in names.items()}, "ptr")


def check_apps_and_all_below_answered(hosts):
    """The domain of the apps and every name below it lead to one address."""
    names = ("apps", "cart.apps", "eu.cart.apps", "legacy2.apps")
    compare(hosts, {f"{name}.shop.example": "10.30.0.40" for name in names})


def check_legacy_app_has_its_own_address(hosts):
    """The one exception among the apps leads to its own address."""
    compare(hosts, {"legacy.apps.shop.example": "10.30.0.41"})


def check_all_else_of_the_shop_is_asked_outside(hosts):
    """Other names of the shop, those below the inner names included, get the public server's answers."""
    compare(
        hosts,
        {
            "status.shop.example": "203.0.113.80",
            "beta.www.shop.example": "203.0.113.11",
            "old.mail.shop.example": "203.0.113.26",
            "nothing.shop.example": "NXDOMAIN",
        },
    )


def check_corp_names_stay_inside(hosts):
    """Unknown names of the inner domain do not exist, also those that the public server would know."""
    compare(hosts, {"vault.corp.example": "NXDOMAIN", "intranet.corp.example": "NXDOMAIN"})


def check_other_domains_not_asked_outside(hosts):
    """Names of other domains are refused; the public server would know one of them."""
    compare(hosts, {"www.elsewhere.example": "REFUSED", "www.shop.example.net": "REFUSED"})


def check_settings_in_their_file(resolver):
    """The settings stand in their file, root's and readable by all; those of the trial are gone."""
    file = resolver.file(OWN_FILE)
    assert file.exists, f"there is no {OWN_FILE}"
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("root", "root", "0o644"), f"{OWN_FILE} is {seen}"
    assert not resolver.file("/etc/dnsmasq.d/30-trial.conf").exists, "30-trial.conf is still there"


def check_other_settings_untouched(hosts):
    """No other file of settings was changed or added on either host, and what they say is still answered."""
    for name, digests in FILES.items():
        for path, digest in digests.items():
            seen = hosts[name].run(f"sha256sum {path}").stdout.split()
            assert seen[:1] == [digest], f"{name}: {path} was changed"
    found = set(hosts["resolver"].run("find /etc/dnsmasq.d -mindepth 1 ! -name README").stdout.split())
    added = found - set(FILES["resolver"]) - {OWN_FILE, "/etc/dnsmasq.d/30-trial.conf"}
    assert not added, f"resolver: there are new files: {added}"
    compare(hosts, {"printer.corp.example": "10.30.9.9"})
    server = read_address(hosts["public"])
    told = {name: ask(hosts["resolver"], server, name) for name in PUBLIC_ANSWERS}
    assert told == PUBLIC_ANSWERS, f"public answers {told}"
