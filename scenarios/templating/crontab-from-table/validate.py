# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The file is read as cron reads it: its jobs are those of the table that are switched on, and they do their work."""

import re
import shlex

CRON_FILE, TABLE = "/etc/cron.d/site-jobs", "/srv/jobs/table.csv"
JOBS = {
    "jobs1": [
        ("15 2 * * *", "backup", "tar -cf /var/backups/srv-$(date +%Y%m%d).tar -C /srv reports"),
        ("*/10 6-22 * * 1-5", "reporter", 'printf \'%s;%s\\n\' "$(id -un)" "$(date +%Y)" >/home/reporter/mark'),
        ("@daily", "root", "echo '{{.Repository}}:{{.Tag}}, 100% of them' >/srv/reports/format"),
        ("30 3 1,15 * *", "root", "find /srv/reports -name '*.tmp' -mtime +7 -delete"),
    ],
    "jobs2": [
        ("5 0 * * 1", "reporter", "date -d 2026-02-03 '+%G-W%V; day %u of 7' >/home/reporter/mark"),
        (
            "*/5 * * * *",
            "root",
            'test -e /srv/reports/clock && echo "run at $(date +%H)" || date +%s >/srv/reports/clock',
        ),
    ],
}
OFF = {"jobs1": "vault.example", "jobs2": "/var/cache/reports"}
TABLES = {
    "jobs1": "6095eeb787ea88bb7987fb4290afdccaa0552e0eee4a304acba3dbea099f4159",
    "jobs2": "2c2ddf477bdb86caf85cc40b487edf7ddf2be8153606d1390a1de1c950ec2870",
}
AGENT = "f91ffca0317661ad055efaa8e3d3634d9f96f0b98098db1c1a34e34fe80bfebe"
PRIVATE = "10 1 * * 6 /usr/bin/true # asked for by the auditors"

SETTING = re.compile(r"""\s*["']?([A-Za-z_]\w*)["']?\s*=\s*(.*?)\s*""")
ENTRY = re.compile(r"\s*(@\w+|(?:[^\s@#]\S*\s+){4}\S+)\s+(\S+)\s+(.*)")


def split_at_percent(text):
    """A command as cron hands it to the shell, and what it hands in as input: none without a bare percent sign."""
    command, escaped = "", False
    for number, char in enumerate(text):
        if char == "%" and not escaped:
            return command, text[number + 1 :]
        command = f"{command[:-1]}%" if char == "%" else command + char
        escaped = char == "\\" and not escaped
    return command, None


def read_cron_file(host, name):
    """The file's entries: time, user, command, input and the settings that stand above it."""
    assert host.file(CRON_FILE).exists, f"{name} has no {CRON_FILE}"
    entries, settings = [], {}
    for line in host.file(CRON_FILE).content_string.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if found := SETTING.fullmatch(line):
            settings[found[1]] = found[2].strip("\"'")
            continue
        found = ENTRY.fullmatch(line)
        assert found, f"{name}: cron cannot read the line {line!r}"
        command, given = split_at_percent(found[3].rstrip())
        entries.append((" ".join(found[1].split()), found[2], command, given, dict(settings)))
    return entries


def check_cron_takes_the_file(hosts):
    """Cron reads only files of root that no other may write, whose last line ends."""
    for name, host in hosts.items():
        assert host.file(CRON_FILE).exists, f"{name} has no {CRON_FILE}"
        file = host.file(CRON_FILE)
        seen = (file.user, file.group, oct(file.mode))
        assert seen == ("root", "root", "0o644"), f"{name}: {CRON_FILE} is {seen}"
        assert file.content_string.endswith("\n"), f"{name}: the last line of {CRON_FILE} does not end"
        assert read_cron_file(host, name), f"{name}: {CRON_FILE} holds no job"


def check_times_and_users(hosts):
    """Each job of the table runs at its time as its user, as root where the table names none."""
    for name, host in hosts.items():
        seen = {entry[:2] for entry in read_cron_file(host, name)}
        missing = [job[:2] for job in JOBS[name] if job[:2] not in seen]
        assert not missing, f"{name}: no job for {missing}; there are jobs for {sorted(seen)}"


def check_commands_arrive_whole(hosts):
    """The shell gets each command as it stands in the table, percent signs and braces included."""
    for name, host in hosts.items():
        entries = read_cron_file(host, name)
        cut = [entry[2] for entry in entries if entry[3] is not None]
        assert not cut, f"{name}: commands that end at a bare percent sign: {cut}"
        missing = [job[2] for job in JOBS[name] if job[2] not in [entry[2] for entry in entries]]
        assert not missing, f"{name}: nobody runs {missing}; the commands are {[entry[2] for entry in entries]}"


def check_jobs_do_their_work(hosts):
    """The reporter's jobs, run as cron would, leave their marks."""
    year = hosts["jobs1"].run("date +%Y").stdout.strip()
    for name, wanted in (("jobs1", f"reporter;{year}"), ("jobs2", "2026-W06; day 2 of 7")):
        host = hosts[name]
        own = [entry for entry in read_cron_file(host, name) if entry[1] == "reporter"]
        assert len(own) == 1, f"{name}: the reporter has {len(own)} jobs"
        _, user, command, given, settings = own[0]
        shell = settings.get("SHELL", "/bin/sh")
        inner = f"printf %s {shlex.quote(given or '')} | {shlex.quote(shell)} -c {shlex.quote(command)}"
        ran = host.run(f"rm -f /home/reporter/mark; runuser -u {user} -- /bin/sh -c {shlex.quote(inner)}")
        mark = host.file("/home/reporter/mark")
        assert mark.exists, f"{name}: {command!r} leaves no mark: {ran.stderr.strip()}"
        assert mark.content_string.strip() == wanted, f"{name}: the mark is {mark.content_string!r}, not {wanted!r}"


def check_switched_off_rows_left_out(hosts):
    """Rows with a date in off_since are no jobs."""
    for name, host in hosts.items():
        found = [entry[2] for entry in read_cron_file(host, name) if OFF[name] in entry[2]]
        assert not found, f"{name}: switched off, and yet there: {found}"


def check_nothing_but_the_table(hosts):
    """Each row is there once, and what was put in by hand is gone."""
    for name, host in hosts.items():
        wanted = sorted(job[:2] for job in JOBS[name])
        seen = sorted(entry[:2] for entry in read_cron_file(host, name))
        assert seen == wanted, f"{name}: there are jobs for {seen}, not for {wanted}"


def check_mail_and_shell(hosts):
    """Every job has its mail address and its shell."""
    wanted = {"MAILTO": "jobs@corp.example", "SHELL": "/bin/bash"}
    for name, host in hosts.items():
        for when, _, command, _, settings in read_cron_file(host, name):
            seen = {key: settings.get(key) for key in wanted}
            assert seen == wanted, f"{name}: {when} {command} runs with {seen}"


def check_tables_and_other_jobs_untouched(hosts):
    """The tables, the agent's file and the users' own crontabs are as they were, and no further file is there."""
    for name, host in hosts.items():
        for path, digest in ((TABLE, TABLES[name]), ("/etc/cron.d/inventory-agent", AGENT)):
            seen = host.run(f"sha256sum {path}").stdout.split()
            assert seen[:1] == [digest], f"{name}: {path} was changed"
        lines = host.file("/var/spool/cron/crontabs/backup").content_string.splitlines()
        assert [line for line in lines if not line.startswith("#")] == [PRIVATE], f"{name}: backup's own jobs: {lines}"
        added = host.run("crontab -l -u root; crontab -l -u reporter").stdout.strip()
        assert not added, f"{name}: root or reporter has jobs of its own: {added}"
        own = {CRON_FILE, "/etc/cron.d/inventory-agent"}
        found = [path for path in host.run("find /etc/cron.d -type f").stdout.split() if path not in own]
        # What the image's packages brought is theirs.
        left = [path for path in found if host.run(f"dpkg -S {shlex.quote(path)}").rc]
        assert not left, f"{name}: further files: {left}"
