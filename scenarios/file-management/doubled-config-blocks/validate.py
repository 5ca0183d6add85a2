# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""One block is left and ssh uses it; every line of other people stands where it stood."""

FILE = "/etc/ssh/ssh_config"
BLOCK = [
    "# BEGIN corp hosts",
    "Host *.corp.example",
    "    User deploy",
    "    Port 2222",
    "    ProxyJump gate.example.net",
    "# END corp hosts",
]
OTHER_LINES = {
    "desk1": """# Settings of ssh for all users of this machine.
Include /etc/ssh/ssh_config.d/*.conf

# Nightly builds have a user of their own.
Host build.corp.example
    User builder

# *.corp.example can be reached through the gate only, ask the network team

Host printer-*
    User print
    Port 2200

Host *.corp.example.org
    User partner
    Port 2201

# What is not said above
Host *
    User guest
    Port 22
    ServerAliveInterval 60
    HashKnownHosts yes
""",
    "desk2": """Include /etc/ssh/ssh_config.d/*.conf
Host *.corp.example.org
    User partner
# Old machines know no newer way.
Host legacy.example.net
    Port 2203
    HostKeyAlgorithms +ssh-rsa


Host *
    User guest
    ServerAliveInterval 30

# end of file
""",
}


def read_lines(host):
    """The lines of the file."""
    assert host.file(FILE).exists, f"{FILE} is gone"
    return host.file(FILE).content_string.splitlines()


def ask_ssh(host, name, *settings):
    """What ssh would use for a machine, setting by setting."""
    ran = host.run(f"ssh -G -F {FILE} {name}")
    assert ran.rc == 0, f"ssh does not accept {FILE}: {ran.stderr.strip()}"
    known = dict(line.split(" ", 1) for line in ran.stdout.splitlines() if " " in line)
    return {setting: known.get(setting) for setting in settings}


def check_block_takes_effect(hosts):
    """A machine below corp.example is reached by the block's settings."""
    wanted = {"user": "deploy", "port": "2222", "proxyjump": "gate.example.net", "compression": "no"}
    for name, host in hosts.items():
        seen = ask_ssh(host, "db.corp.example", *wanted)
        assert seen == wanted, f"{name}: for db.corp.example ssh uses {seen}"


def check_earlier_entry_wins(desk1):
    """The entry for the build machine comes first and keeps its user; the block adds the rest."""
    wanted = {"user": "builder", "port": "2222", "proxyjump": "gate.example.net"}
    seen = ask_ssh(desk1, "build.corp.example", *wanted)
    assert seen == wanted, f"for build.corp.example ssh uses {seen}"


def check_other_names_keep_their_settings(hosts):
    """What is said for other machines still holds, also for names that begin like ours."""
    wanted = {
        ("desk1", "www.corp.example.org"): {"user": "partner", "port": "2201", "serveraliveinterval": "60"},
        ("desk1", "printer-3"): {"user": "print", "port": "2200", "serveraliveinterval": "60"},
        ("desk1", "elsewhere.example.net"): {"user": "guest", "port": "22", "serveraliveinterval": "60"},
        ("desk2", "www.corp.example.org"): {"user": "partner", "port": "22", "serveraliveinterval": "30"},
        ("desk2", "legacy.example.net"): {"user": "guest", "port": "2203", "serveraliveinterval": "30"},
        ("desk2", "a.lab.example"): {"user": "lab", "port": "22", "serveraliveinterval": "30"},
    }
    for (name, machine), settings in wanted.items():
        seen = ask_ssh(hosts[name], machine, *settings, "proxyjump")
        assert seen == {**settings, "proxyjump": None}, f"{name}: for {machine} ssh uses {seen}"


def check_one_copy_is_left(hosts):
    """Each of the first two lines and the last one of the block stands in the file once."""
    for name, host in hosts.items():
        lines = read_lines(host)
        seen = {line: lines.count(line) for line in (BLOCK[0], BLOCK[1], BLOCK[-1])}
        assert set(seen.values()) == {1}, f"{name}: lines and how often they stand in the file: {seen}"


def check_block_is_whole_and_in_place(hosts):
    """The six lines stand together, directly before "Host *"."""
    for name, host in hosts.items():
        lines = read_lines(host)
        assert lines.count("Host *") == 1, f'{name}: there are {lines.count("Host *")} lines "Host *"'
        end = lines.index("Host *")
        seen = lines[max(0, end - len(BLOCK)) : end]
        assert seen == BLOCK, f'{name}: directly before "Host *" stands {seen}'


def check_no_old_settings_are_left(hosts):
    """Nothing of the older forms remains."""
    for name, host in hosts.items():
        text = "\n".join(read_lines(host))
        left = [word for word in ("gate-old", "2022", "Compression") if word in text]
        assert not left, f"{name}: {FILE} still holds {left}"


def check_other_lines_untouched(hosts):
    """All lines but those of the copies are there, unchanged and in their order."""
    for name, host in hosts.items():
        lines = read_lines(host)
        end = lines.index("Host *") if "Host *" in lines else len(lines)
        rest = lines[: max(0, end - len(BLOCK))] + lines[end:]
        seen = rest if lines[max(0, end - len(BLOCK)) : end] == BLOCK else [x for x in lines if x not in BLOCK]
        assert seen == OTHER_LINES[name].splitlines(), f"{name}: the other lines are now {seen}"


def check_owner_and_mode(hosts):
    """The file belongs to root and everybody may read it."""
    for name, host in hosts.items():
        file = host.file(FILE)
        seen = (file.user, file.group, f"{file.mode:o}")
        assert seen == ("root", "root", "644"), f"{name}: {FILE} is {seen}"


def check_other_files_untouched(hosts):
    """The laboratory's file beside it is as it was."""
    for name, host in hosts.items():
        file = host.file("/etc/ssh/ssh_config.d/50-lab.conf")
        assert file.exists, f"{name}: {file.path} is gone"
        seen = (file.user, f"{file.mode:o}", file.content_string)
        wanted = ("root", "644", "# Of the laboratory; asked first.\nHost *.lab.example\n    User lab\n")
        assert seen == wanted, f"{name}: {file.path} is {seen}"
