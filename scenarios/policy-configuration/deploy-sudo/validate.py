# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What each user may do is found out by doing it."""

import shlex

SERVICE = "/usr/sbin/service shop-api"
MONITORING = """# Monitoring may look at the disks.
monitor ALL=(root) NOPASSWD: /usr/bin/df -h
"""


def sudo(host, user, command):
    """Run sudo as a user, without any chance to be asked for a password."""
    return host.run(f"su {user} -s /bin/sh -c {shlex.quote('sudo -n ' + command)}")


def check_configuration_is_valid(app):
    """The whole of it, as visudo sees it."""
    ran = app.run("/usr/sbin/visudo -c")
    assert ran.rc == 0, f"visudo -c: {ran.stdout.strip()} {ran.stderr.strip()}"


def check_deployers_control_the_service(app):
    """Each member may restart the service and ask for its status."""
    for user in ("dana", "dirk"):
        for action, answer in (("restart", "shop-api restarted"), ("status", "shop-api is running")):
            ran = sudo(app, user, f"{SERVICE} {action}")
            assert ran.rc == 0, f"{user}, {action}: {ran.stderr.strip()}"
            assert answer in ran.stdout, f"{user}, {action}: {ran.stdout.strip()}"


def check_deployers_work_as_shop(app):
    """Each member may run whatever they like as the service's user."""
    for user in ("dana", "dirk"):
        for command in ("id -un", "sh -c whoami"):
            ran = sudo(app, user, f"-u shop {command}")
            assert ran.stdout.strip() == "shop", f"{user}, {command}: {ran.stdout.strip()} {ran.stderr.strip()}"


def check_nothing_beyond(app):
    """No other command as root, no other argument, no other user."""
    as_root = ("id", f"{SERVICE} stop", f"{SERVICE} restart now", "/usr/sbin/service cron status")
    for command in (*as_root, "-u monitor id", "-u ops id"):
        ran = sudo(app, "dana", command)
        assert ran.rc != 0, f"dana could run sudo {command}: {ran.stdout.strip()}"


def check_others_get_nothing(app):
    """Who is not in the group may do none of it."""
    for user in ("tom", "shop", "monitor"):
        for command in (f"{SERVICE} status", "-u shop id"):
            ran = sudo(app, user, command)
            assert ran.rc != 0, f"{user} could run sudo {command}: {ran.stdout.strip()}"


def check_permissions(app):
    """There is a new file, and all files in the directory have the wanted owner and mode."""
    lines = app.run("stat -c '%U %G %a %n' /etc/sudoers.d/*").stdout.splitlines()
    new = [line for line in lines if line.rpartition("/")[2] not in ("README", "ops", "50-monitoring")]
    assert new, "there is no new file in /etc/sudoers.d"
    wrong = [line for line in new if not line.startswith("root root 440 ")]
    assert not wrong, f"owner, group or mode: {'; '.join(wrong)}"


def check_existing_rules_untouched(app):
    """The files that were there are as they were, and monitoring's and the operators' rules work."""
    seen = app.file("/etc/sudoers.d/50-monitoring").content_string
    assert seen == MONITORING, f"50-monitoring holds {seen!r}"
    assert "deployers" not in app.file("/etc/sudoers").content_string, "/etc/sudoers was changed"
    for user, command in (("monitor", "/usr/bin/df -h"), ("ops", "true")):
        ran = sudo(app, user, command)
        assert ran.rc == 0, f"{user} may not run sudo {command} any more: {ran.stderr.strip()}"
