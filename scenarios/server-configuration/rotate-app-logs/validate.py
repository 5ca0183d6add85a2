# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The tracker's logs are rotated by size without losing a line; what rotates other logs is as it was."""

import re
from itertools import pairwise

LOGS = "/var/log/trackd"
STATE = "/var/tmp/earlier-rotations"
DAILY = "/var/tmp/daily-rotation"
BILLING = """# Belongs to the billing team.
/var/log/billing/billing.log {
    size 1k
    rotate 2
    missingok
    create 0640 root adm
}
"""


def read_cron(host):
    """The entries of the cron table: five times, a user and a command each."""
    file = host.file("/etc/cron.d/trackd-logs")
    assert file.exists, "/etc/cron.d/trackd-logs does not exist"
    lines = [line.strip() for line in file.content_string.splitlines()]
    entries = [line for line in lines if line and line[0] != "#" and not re.match(r"\w+\s*=", line)]
    return [entry.split(None, 6) for entry in entries]


def rotate(host):
    """Do what cron would do."""
    entries = read_cron(host)
    assert len(entries) == 1, f"/etc/cron.d/trackd-logs has {len(entries)} entries"
    assert len(entries[0]) == 7, f"not an entry with a user: {entries[0]}"
    ran = host.run(entries[0][6].replace("\\%", "%"))
    assert ran.rc == 0, f"{entries[0][6]}: exit status {ran.rc}, {ran.stderr.strip()}"


def track(host, log, count):
    """Have the program write lines."""
    ran = host.run(f"curl -fs --max-time 10 http://127.0.0.1:7070/{log}/{count}")
    assert ran.rc == 0, f"trackd does not answer: curl exit status {ran.rc}"


def list_logs(host, log):
    """The names of a log's files, sorted by age."""
    names = host.run(f"ls {LOGS}").stdout.split()
    found = [name for name in names if name.startswith(f"{log}.log")]
    return sorted(found, key=lambda name: int(re.sub(r"\D", "", name.removesuffix(".gz")) or 0))


def read_numbers(host, name):
    """The numbers of the lines in a log file."""
    ran = host.run(f"{'gzip -dc' if name.endswith('.gz') else 'cat'} {LOGS}/{name}")
    assert "\0" not in ran.stdout, f"{name} has a hole: the program went on behind what was cut off"
    return [int(line.split()[0]) for line in ran.stdout.splitlines()]


def expand_minutes(field):
    """What a cron table means by its minutes."""
    minutes = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.replace("*", "0-59").partition("-")
        minutes |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return minutes


def check_cron_calls_it_every_quarter(app):
    """Cron accepts the table, which calls logrotate as root at 0, 15, 30 and 45."""
    entries = read_cron(app)
    assert len(entries) == 1, f"/etc/cron.d/trackd-logs has {len(entries)} entries"
    minute, *others, user = entries[0][:6]
    assert expand_minutes(minute) == {0, 15, 30, 45}, f"minutes are {minute}"
    assert others in (["*"] * 4, ["*/1", *["*"] * 3]), f"hours, days, months, weekdays are {others}"
    assert user == "root", f"the user is {user}"
    file = app.file("/etc/cron.d/trackd-logs")
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("root", "root", "0o644"), f"/etc/cron.d/trackd-logs is {seen}"
    assert file.content_string.endswith("\n"), "cron does not read a last line that has no end"


def check_big_log_is_rotated(app):
    """What cron calls rotates the log that is too big by now, whose lines stand in the first old one."""
    before = read_numbers(app, "events.log")
    track(app, "events", 600)
    rotate(app)
    names = list_logs(app, "events")
    assert names[:2] == ["events.log", "events.log.1"], f"{LOGS} has {names}"
    seen = read_numbers(app, "events.log.1")
    assert before[0] in seen, f"line {before[0]} of the log is not in events.log.1, which begins with {seen[:1]}"


def check_program_goes_on_in_the_new_log(app):
    """Lines written after a rotation stand in the log, not in an old one."""
    track(app, "events", 1500)
    rotate(app)
    before = read_numbers(app, "events.log.1")
    track(app, "events", 5)
    seen = read_numbers(app, "events.log")
    assert len(seen) == 5, f"five lines were written, events.log has {len(seen)}"
    assert seen[0] == before[-1] + 1, f"events.log begins with line {seen[0]}, events.log.1 ended with {before[-1]}"


def check_no_line_is_lost(app):
    """All lines of all logs together are complete and in order, those from before included."""
    numbers = [number for name in reversed(list_logs(app, "events")) for number in read_numbers(app, name)]
    gaps = [pair for pair in pairwise(numbers) if pair[1] != pair[0] + 1]
    assert not gaps, f"lines do not follow each other: {gaps[:5]}"
    assert numbers[0] == 1, f"the lines begin with {numbers[0]}"
    assert numbers[-1] >= 4505, f"the lines end with {numbers[-1]}"


def check_small_log_is_never_rotated(app):
    """A log below the bound stays, although its last rotation was long ago; above it, it is rotated like the other."""
    entries = "".join(f'"{LOGS}/{log}.log" 2020-1-1-0:0:0\\n' for log in ("events", "errors"))
    app.run(f"printf 'logrotate state -- version 2\\n{entries}' >{STATE}; chmod 600 {STATE}")
    track(app, "errors", 20)
    # As the daily run includes the rules, but without other people's.
    app.run(f"printf 'weekly\\nrotate 4\\ncreate\\ninclude /etc/logrotate.d/trackd\\n' >{DAILY}; chmod 644 {DAILY}")
    app.run(f"/usr/sbin/logrotate --state {STATE} {DAILY}; rm -f {STATE} {DAILY}")
    names = list_logs(app, "errors")
    assert names == ["errors.log"], f"a log of two kilobytes was rotated: {names}"
    track(app, "errors", 1500)
    rotate(app)
    names = list_logs(app, "errors")
    assert names == ["errors.log", "errors.log.1"], f"a log of 150 kilobytes was not rotated: {names}"


def check_five_old_logs_are_kept(app):
    """After more rotations there are five old logs; the newest is plain and the others are compressed."""
    for _ in range(4):
        track(app, "events", 1500)
        rotate(app)
    names = list_logs(app, "events")
    wanted = ["events.log", "events.log.1", *(f"events.log.{number}.gz" for number in range(2, 6))]
    assert names == wanted, f"{LOGS} has {names}"
    read_numbers(app, "events.log.2.gz")


def check_owner_and_mode(app):
    """A new log belongs to the program and can be read by its group; the directory is as it was."""
    track(app, "events", 1500)
    rotate(app)
    for name, wanted in ((f"{LOGS}/events.log", "0o640"), (LOGS, "0o770")):
        file = app.file(name)
        seen = (file.user, file.group, oct(file.mode))
        assert seen == ("trackd", "adm", wanted), f"{name} is {seen}"


def check_daily_run_has_no_errors(app):
    """The machine's daily run knows the rules and has nothing to complain about."""
    old = app.file("/etc/logrotate.d/logs-weekly")
    ran = app.run("/usr/sbin/logrotate --debug /etc/logrotate.conf")
    errors = [line for line in ran.stderr.splitlines() if line.startswith("error:")]
    assert ran.rc == 0, f"the daily run ends with exit status {ran.rc}: {errors}"
    assert not errors, f"the daily run says: {errors}"
    assert not old.exists, "/etc/logrotate.d/logs-weekly is still there"


def check_program_untouched(app):
    """The program has run since the beginning."""
    starts = app.file("/run/trackd.starts").content_string.splitlines()
    assert starts == ["started"], f"starts of trackd: {starts}"
    ran = app.run("ps -o args= -p $(cat /run/trackd.pid)")
    assert "/usr/local/sbin/trackd" in ran.stdout, f"the process in /run/trackd.pid is {ran.stdout.strip() or 'gone'}"


def check_other_rules_and_logs_untouched(app):
    """Logrotate's own file and other people's rules are as they were, and nothing of theirs has been rotated."""
    seen = app.file("/etc/logrotate.d/billing").content_string
    assert seen == BILLING, f"/etc/logrotate.d/billing is now {seen!r}"
    listed = app.run("dpkg-query -W -f '${Conffiles}' logrotate").stdout.split()
    digest = app.run("md5sum /etc/logrotate.conf").stdout.split()[0]
    assert digest == listed[listed.index("/etc/logrotate.conf") + 1], "/etc/logrotate.conf was changed"
    names = app.run("ls /var/log/billing").stdout.split()
    assert names == ["billing.log"], f"the quarter-hourly call rotates other logs: /var/log/billing has {names}"
