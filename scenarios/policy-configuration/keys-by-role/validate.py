# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""After two runs, with a change of roles between them, each account has the keys that it should have and no other."""

ACCOUNTS = ("deploy", "report", "rescue")
HOSTS = ("app1", "app2")
FIRST = {"deploy": {"amira", "bruno", "bruno-desk"}, "report": {"amira"}, "rescue": {"celia"}}
LATER = {"deploy": {"amira", "dario", "farid"}, "report": {"amira", "bruno", "bruno-desk", "elif"}, "rescue": set()}
SEALED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZOjBozRAlhRc0LWmGk4iZpWjpJq66xr1OyLLOkLCMD break-glass"
BREAK_GLASS = {
    ("app1", "deploy"): f'from="192.0.2.0/28",no-port-forwarding {SEALED}',
    ("app1", "rescue"): SEALED,
    ("app2", "deploy"): (
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILgF2FH6XXAnCBRf4kNVojhfXsHWKKP2Wu6QDFFc8OWv break-glass"
    ),
}
NIGHTLY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA8Wunz2bDgkch9yVZpIfgCEA6r+otyQxbtu0gtbSiFB nightly@registry\n"


def read_people(registry):
    """Who has which key: names by the line of a public key."""
    lines = registry.run("cat /root/people/*.pub").stdout.splitlines()
    return {line: line.split()[-1] for line in lines}


def read_lines(host, path):
    """The lines of a list of keys, without comments; none when there is no such file."""
    file = host.file(path)
    lines = [line.strip() for line in file.content_string.splitlines()] if file.exists else []
    return [line for line in lines if line and not line.startswith("#")]


def read_keys(host, account):
    """The account's list of keys."""
    return read_lines(host, f"/home/{account}/.ssh/authorized_keys")


def try_login(registry, person, account, host):
    """Log in with a person's key; gives whose account was reached, and what ssh says."""
    options = "-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5"
    given = f"-o LogLevel=ERROR -o IdentitiesOnly=yes -i /root/people/{person}"
    ran = registry.run(f"ssh {options} {given} {account}@{host} whoami")
    return ran.stdout.strip(), ran.stderr.strip()


def check_first_run_followed_the_roster(hosts):
    """Before the roles changed, each account had the keys of the roster as it was then, beside break-glass keys."""
    people = read_people(hosts["registry"])
    for name in HOSTS:
        for account in ACCOUNTS:
            lines = set(read_lines(hosts[name], f"/root/first/{account}")) - {BREAK_GLASS.get((name, account))}
            seen = sorted(people.get(line, line) for line in lines)
            assert seen == sorted(FIRST[account]), f"{account} on {name} had, after the first run, the keys of {seen}"


def check_keys_follow_the_changed_roster(hosts):
    """Each account has the keys of all who have the role now, and of nobody else in the roster."""
    people = read_people(hosts["registry"])
    for name in HOSTS:
        for account in ACCOUNTS:
            lines = read_keys(hosts[name], account)
            seen = sorted(people[line] for line in lines if line in people)
            assert seen == sorted(LATER[account]), f"{account} on {name} has the keys of {seen}"


def check_foreign_keys_are_gone(hosts):
    """No account has a line that is neither of the roster nor a break-glass key."""
    people = read_people(hosts["registry"])
    for name in HOSTS:
        for account in ACCOUNTS:
            lines = read_keys(hosts[name], account)
            foreign = [line for line in lines if line not in people and line != BREAK_GLASS.get((name, account))]
            assert not foreign, f"{account} on {name} still has {foreign}"


def check_break_glass_untouched(hosts):
    """Break-glass keys stand in their files once, to the letter."""
    for (name, account), line in BREAK_GLASS.items():
        found = [seen for seen in read_keys(hosts[name], account) if seen.split()[-1] == "break-glass"]
        assert found == [line], f"break-glass keys of {account} on {name}: {found}, not {[line]}"


def check_people_can_log_in(registry):
    """People reach the accounts of their roles with their keys, on every host."""
    for person, account in (("amira", "deploy"), ("dario", "deploy"), ("bruno-desk", "report"), ("elif", "report")):
        for name in HOSTS:
            seen, said = try_login(registry, person, account, name)
            assert seen == account, f"{person} cannot log in as {account} on {name}: {said or seen}"


def check_former_roles_are_closed(registry):
    """Who has the role no more cannot log in."""
    # One attempt a host: sshd makes those wait who fail more often.
    for person, account, name in (("bruno", "deploy", "app1"), ("celia", "rescue", "app2")):
        seen, said = try_login(registry, person, account, name)
        assert "Permission denied" in said, f"{person} as {account} on {name}: {seen or said or 'no answer'}"


def check_owners_and_modes(hosts):
    """Lists of keys and their directories belong to the account and are closed to others."""
    for name in HOSTS:
        for account in ACCOUNTS:
            place = f"/home/{account}/.ssh"
            for path, mode in ((place, "700"), (f"{place}/authorized_keys", "600")):
                if not hosts[name].file(path).exists:
                    assert account == "rescue", f"{name}: {path} is missing"
                    continue
                seen = hosts[name].run(f"stat -c '%U %G %a' {path}").stdout.strip()
                assert seen == f"{account} {account} {mode}", f"{name}: owner, group and mode of {path}: {seen}"


def check_roster_and_other_accounts_untouched(hosts):
    """The roster is as people wrote it, and accounts without a role keep their keys."""
    ran = hosts["registry"].run("cd /srv/roster && sha256sum -c /root/roster.sums && ls -A . keys")
    assert ran.rc == 0, f"the roster was changed: {ran.stdout.strip()} {ran.stderr.strip()}"
    files = {"roster.yml", "keys", *(f"{name}.pub" for name in ("amira", "bruno", "celia", "dario", "elif", "farid"))}
    more = [word for word in ran.stdout.split("\n") if word and ":" not in word and word not in files]
    assert not more, f"in /srv/roster there are also {more}"
    for name in HOSTS:
        file = hosts[name].file("/home/nightly/.ssh/authorized_keys")
        assert file.exists, f"{name}: nightly's keys are gone"
        assert file.content_string == NIGHTLY, f"{name}: nightly's keys are {file.content_string!r}"
        account = hosts[name].run("getent passwd payroll").stdout
        assert not account, f"{name}: there is a new account: {account.strip()}"
