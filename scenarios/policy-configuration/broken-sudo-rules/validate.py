# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What each user may do is found out by doing it, and by asking sudo where it must be refused."""

import shlex

SNAPSHOT = "/usr/local/sbin/snapshot"
FLUSH = "/usr/local/sbin/flush-queue"
SHOP = "/usr/sbin/service shop"
KEPT = ("sudoers", "sudoers.d/README", "sudoers.d/ops", "sudoers.d/50-metrics")


def sudo(host, user, command):
    """Run sudo as a user, without any chance to be asked for a password."""
    return host.run(f"su {user} -s /bin/sh -c {shlex.quote('sudo -n ' + command)}")


def assert_can(host, user, command, answer):
    """The user may do it without a password."""
    ran = sudo(host, user, command)
    assert ran.rc == 0, f"{user} cannot run sudo {command}: {ran.stderr.strip()}"
    assert answer in ran.stdout, f"{user}, sudo {command} says {ran.stdout.strip()!r}, not {answer!r}"


def assert_cannot(host, user, command):
    """No rule allows it, neither with a password nor without."""
    ran = sudo(host, user, command)
    assert ran.rc != 0, f"{user} could run sudo {command}: {ran.stdout.strip()}"
    asked = host.run(f"sudo -n -l -U {user} {command}")
    assert asked.rc != 0, f"a rule allows {user} to run sudo {command} with a password"


def check_configuration_is_valid(depot):
    """All of it is accepted, and sudo reads it without a complaint."""
    ran = depot.run("/usr/sbin/visudo -c")
    assert ran.rc == 0, f"visudo -c: {ran.stdout.strip()} {ran.stderr.strip()}"
    ran = sudo(depot, "ops", "true")
    assert ran.rc == 0, f"ops cannot use sudo any more: {ran.stderr.strip()}"
    assert not ran.stderr.strip(), f"sudo complains: {ran.stderr.strip()}"


def check_keeper_makes_and_lists_snapshots(depot):
    """The keeper may run the tool in both ways."""
    for action in ("create", "list"):
        assert_can(depot, "keeper", f"{SNAPSHOT} {action}", f"root: snapshot {action}")


def check_helpdesk_flushes_the_queue(depot):
    """Each member of the helpdesk may flush the queue."""
    for user in ("hanna", "hugo"):
        assert_can(depot, user, FLUSH, "root: flush-queue")


def check_webteam_reloads_the_shop(depot):
    """The web team may reload the shop and ask for its status."""
    for action in ("reload", "status"):
        assert_can(depot, "wanda", f"{SHOP} {action}", f"root: shop {action}")


def check_oncall_works_as_batch(depot):
    """Who is on call may run anything as the batch user, without a password."""
    for command in ("id -un", "sh -c whoami"):
        assert_can(depot, "otto", f"-u batch {command}", "batch")


def check_nothing_beyond(depot):
    """No other command, argument or user, with or without a password."""
    for command in (f"{SNAPSHOT} delete", SNAPSHOT, f"{SNAPSHOT} create now", "-u batch id"):
        assert_cannot(depot, "keeper", command)
    for command in (f"{FLUSH} now", "id", "/usr/bin/passwd ops", "-u batch id"):
        assert_cannot(depot, "hanna", command)
    for command in (f"{SHOP} stop", SHOP, f"{SHOP} reload now", "/usr/sbin/service cron status", "-u batch id"):
        assert_cannot(depot, "wanda", command)
    for command in ("id", "-u ops id", "-u keeper id", FLUSH):
        assert_cannot(depot, "otto", command)


def check_everybody_else_gets_nothing(depot):
    """Who is not named may do none of it."""
    for user in ("tom", "batch"):
        for command in (f"{SNAPSHOT} list", FLUSH, f"{SHOP} status", "-u batch id", "/usr/bin/tail /etc/shadow"):
            if (user, command) != ("batch", "-u batch id"):
                assert_cannot(depot, user, command)


def check_every_file_is_read(depot):
    """All files of the directory have a name, an owner and a mode with which sudo reads them."""
    lines = depot.run("find /etc/sudoers.d -mindepth 1 ! -name README -exec stat -c '%U %G %a %n' {} +").stdout
    for line in lines.splitlines():
        name = line.rpartition("/")[2]
        assert "." not in name, f"sudo ignores {name}, whose name holds a dot"
        assert not name.endswith("~"), f"sudo ignores {name}, whose name ends in ~"
        assert line.startswith("root root 440 "), f"owner, group and mode of {name}: {line}"


def check_other_rules_untouched(depot):
    """The files that must stay are as they were, and what they allow is allowed."""
    commands = [f"stat -c '%U %G %a %n' {name}; sha256sum {name}" for name in KEPT]
    seen = depot.run(f"cd /etc && {{ {'; '.join(commands)}; }}").stdout.splitlines()
    before = depot.file("/root/sudo-rules.before").content_string.splitlines()
    lost = [line for line in before if line not in seen]
    assert not lost, f"no longer so: {lost}; seen: {seen}"
    assert_can(depot, "metrics", "/usr/bin/df -h", "Filesystem")
    assert_cannot(depot, "metrics", "id")
