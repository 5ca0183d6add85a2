# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""People who left have no way in any more, their files are kept, and nobody else notices."""

LEAVERS = ("mara", "tobi", "lenka")
COLLEAGUES = ("mara2", "tamara", "tobi-sync", "deploy", "archive", "ops")
TABLES = "/var/spool/cron/crontabs"
DEPLOY_KEYS = [
    "# people who may deploy; mara looks after this list",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMbX2xVve4dSQFJYaLNOTw9nGz1uLfPsC9mg2dDLY8jR mara2@office",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN51P+JIVI7JUb9IobHrV4J/6XTgCv0Dc2cOjxYutNKf tamara@office",
    "restrict ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB4xBLEe4yNckampUYe74oHpJSDHCNYPs+J2zxlLDvhY tobi-sync@office",
]
PEOPLE = [
    "# One line a person; ask the owners of the machine before you add one.",
    "mara2 ALL=(root) NOPASSWD: /usr/sbin/service cron status",
    "tamara ALL=(root) NOPASSWD: /usr/bin/df -h",
    "# tobi-sync replaces the job that tobi ran by hand",
    "tobi-sync ALL=(root) NOPASSWD: /usr/bin/df -h",
]
OUTSIDE = [
    "2775 mara2 developers /srv/projects",
    "644 mara2 developers /srv/projects/plan",
    "755 tamara payroll /srv/payroll",
    "640 tamara payroll /srv/payroll/list.csv",
]


def read_table(host, path):
    """The fields of a file such as /etc/passwd, by the first of them."""
    lines = (line.split(":") for line in host.file(path).content_string.splitlines())
    return {fields[0]: fields[1:] for fields in lines if len(fields) > 1}


def check_accounts_are_closed(office):
    """Each account is still there, with its ID, a locked password, an expiry date that is over and no shell."""
    passwd, shadow = read_table(office, "/etc/passwd"), read_table(office, "/etc/shadow")
    before = read_table(office, "/root/before/passwd")
    today = int(office.run("date +%s").stdout) // 86400
    for user in LEAVERS:
        assert user in passwd, f"the account {user} is gone"
        assert user in shadow, f"{user} has no entry in /etc/shadow any more"
        assert passwd[user][1] == before[user][1], f"{user} has user ID {passwd[user][1]}, not {before[user][1]}"
        assert passwd[user][4] == before[user][4], f"{user} has the home directory {passwd[user][4]}"
        assert shadow[user][0][:1] in ("!", "*"), f"the password of {user} is not locked"
        expiry = shadow[user][6]
        assert expiry, f"the account {user} has no expiry date"
        assert int(expiry) < today, f"the account {user} expires on day {expiry}, today is {today}"
        assert passwd[user][5] == "/usr/sbin/nologin", f"the shell of {user} is {passwd[user][5]}"


def check_own_keys_are_gone(office):
    """No list of keys is left in the leavers' home directories."""
    for user in LEAVERS:
        found = office.run(f"find /home/{user} -name 'authorized_keys*'").stdout.split()
        assert not found, f"{user} still has {found}"


def check_keys_for_deploy_are_gone(office):
    """No key of a leaver opens the account deploy."""
    ends = tuple(f" {user}@office" for user in LEAVERS)
    lines = office.file("/home/deploy/.ssh/authorized_keys").content_string.splitlines()
    left = [line for line in lines if line.endswith(ends)]
    assert not left, f"still in deploy's authorized_keys: {left}"


def check_groups_are_taken_away(office):
    """The leavers are in no group but the one of their own name."""
    groups, passwd = read_table(office, "/etc/group"), read_table(office, "/etc/passwd")
    for user in LEAVERS:
        member = sorted(name for name, fields in groups.items() if user in fields[2].split(",") and name != user)
        assert not member, f"{user} is still a member of {member}"
        assert user in groups, f"the group {user} is gone"
        primary = passwd.get(user, ["", "", "none"])[2]
        assert primary == groups[user][1], f"the primary group of {user} is {primary}, not {groups[user][1]}"


def check_sudo_is_taken_away(office):
    """The leavers may do nothing by sudo, and its configuration is valid."""
    ran = office.run("/usr/sbin/visudo -c")
    assert ran.rc == 0, f"visudo -c: {ran.stdout.strip()} {ran.stderr.strip()}"
    lines = office.file("/etc/sudoers.d/people").content_string.splitlines()
    left = [line for line in lines if line.split()[:1] and line.split()[0] in LEAVERS]
    assert not left, f"/etc/sudoers.d/people still says {left}"
    for user in LEAVERS:
        for command in ("/usr/bin/id", "/usr/bin/df -h", "/usr/sbin/service cron reload"):
            ran = office.run(f"sudo -n -l -U {user} {command}")
            assert ran.rc != 0, f"{user} may still run sudo {command}"


def check_cron_tables_are_gone(office):
    """Nothing is run in the leavers' names."""
    left = [user for user in LEAVERS if office.file(f"{TABLES}/{user}").exists]
    assert not left, f"there are still cron tables of {left}"


def check_files_belong_to_the_archive(office):
    """All that the leavers had is in its place, with its content and mode, and belongs to the archive."""
    places = " ".join(LEAVERS)
    ran = office.run(f"cd /home && find {places} ! -user archive -o ! -group archive")
    assert ran.rc == 0, f"home directories cannot be read: {ran.stderr.strip()}"
    assert not ran.stdout.strip(), f"not the archive's: {ran.stdout.split()}"
    for name, action in (("modes", "stat -c '%a %n'"), ("sums", "sha256sum")):
        kind = "-type f" if name == "sums" else ""
        seen = office.run(f"cd /home && find {places} ! -name 'authorized_keys*' {kind} -exec {action} {{}} +").stdout
        before = office.file(f"/root/before/{name}").content_string
        lost = sorted(set(before.splitlines()) - set(seen.splitlines()))
        assert not lost, f"no longer so in the home directories: {lost}"
    for link, target in (("mara/projects", "/srv/projects"), ("tobi/current", "drafts")):
        seen = office.run(f"readlink /home/{link}").stdout.strip()
        assert seen == target, f"/home/{link} leads to {seen or 'nothing'}, not to {target}"


def check_targets_of_links_untouched(office):
    """What links lead to outside of the home directories has its owner, group and mode."""
    paths = " ".join(line.split()[-1] for line in OUTSIDE)
    seen = office.run(f"stat -c '%a %U %G %n' {paths}").stdout.splitlines()
    assert seen == OUTSIDE, f"outside of the home directories: {seen}"


def check_colleagues_untouched(office):
    """Namesakes and service accounts have their entries, groups, keys, rules and cron tables."""
    for name in ("passwd", "shadow"):
        before, now = read_table(office, f"/root/before/{name}"), read_table(office, f"/etc/{name}")
        changed = [user for user in COLLEAGUES if now.get(user) != before[user]]
        assert not changed, f"/etc/{name} says something else about {changed}"
    before, now = read_table(office, "/root/before/group"), read_table(office, "/etc/group")
    for name, fields in before.items():
        wanted = set(fields[2].split(",")) - {*LEAVERS, ""}
        seen = set(now.get(name, ["", "", ""])[2].split(",")) - {*LEAVERS, ""}
        assert seen == wanted, f"members of the group {name} are {sorted(seen)}, not {sorted(wanted)}"
    for path, wanted in (("/home/deploy/.ssh/authorized_keys", DEPLOY_KEYS), ("/etc/sudoers.d/people", PEOPLE)):
        kept = [line for line in office.file(path).content_string.splitlines() if line in wanted]
        assert kept == wanted, f"of the lines that must stay in {path} there are {kept}"
    paths = "/home/deploy/.ssh/authorized_keys /etc/sudoers.d/people /home/mara2/.ssh/authorized_keys"
    seen = office.run(f"stat -c '%a %U %G' {paths}").stdout.splitlines()
    wanted = ["600 deploy deploy", "440 root root", "600 mara2 mara2"]
    assert seen == wanted, f"mode, owner and group of {paths}: {seen}"
    for user in ("mara2", "tobi-sync"):
        assert office.file(f"{TABLES}/{user}").exists, f"the cron table of {user} is gone"
