# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The invoice worker runs on every host and does its work; what was in order was left alone."""

import configparser
import time

SPOOL = "/var/spool/invoices"
LOCK = "/var/lib/invoices/worker.lock"
LEFT_BEHIND = [f"{number}.job" for number in range(2041, 2047)]
SECTION = {
    "command": "/opt/invoices/bin/worker",
    "directory": SPOOL,
    "user": "invoices",
    "environment": 'INVOICE_SENDER="billing desk"',
    "autostart": "true",
    "autorestart": "unexpected",
    "startsecs": "1",
    "startretries": "0",
    "stopwaitsecs": "15",
    "redirect_stderr": "true",
    "stdout_logfile": "/var/log/supervisor/invoices.log",
    "stdout_logfile_maxbytes": "200KB",
}
MAILER = """; Belongs to the mail team.
[program:mailer]
command=/opt/mailer/bin/mailer
environment=MAIL_RATE="25"
autorestart=true
"""
METRICS = """; Belongs to the metrics team.
[program:metrics]
command=/opt/metrics/bin/metrics
autorestart=true
"""


def find_workers(host):
    """The living workers: pairs of a process number and its user."""
    ran = host.run("ps -eo pid=,user:32=,args= | grep '[/]opt/invoices/bin/worker'")
    return [tuple(line.split()[:2]) for line in ran.stdout.splitlines()]


def wait_for(host, command, wanted):
    """Ask until the output is as wanted, at most ten seconds; the last output."""
    end = time.monotonic() + 10
    while (seen := host.run(command).stdout.split()) != wanted and time.monotonic() < end:
        time.sleep(0.25)
    return seen


def check_worker_is_running(hosts):
    """Supervisor keeps one worker running on each host, as the user invoices."""
    for name, host in hosts.items():
        seen = wait_for(host, "supervisorctl status invoices | awk '{ print $2 }'", ["RUNNING"])
        assert seen == ["RUNNING"], f"{name}: supervisor calls invoices {seen or 'nothing'}"
        workers = find_workers(host)
        assert len(workers) == 1, f"{name}: workers (process, user): {workers or 'none'}"
        assert workers[0][1] == "invoices", f"{name}: the worker runs as {workers[0][1]}"


def check_queue_left_behind_is_worked_off(jobs1):
    """The jobs that waited are sent."""
    seen = wait_for(jobs1, f"ls {SPOOL}/in", [])
    assert not seen, f"jobs1: still waiting: {seen}"
    for name in LEFT_BEHIND:
        done = jobs1.file(f"{SPOOL}/done/{name}")
        assert done.exists, f"jobs1: {name} is neither waiting nor done"
        wanted = f"sent by billing desk: invoice {name.partition('.')[0]}\n"
        assert done.content_string == wanted, f"jobs1: done/{name} holds {done.content_string!r}"


def check_each_job_is_sent_once(jobs1):
    """No job was sent twice or forgotten, by what the worker wrote down."""
    seen = sorted(jobs1.file("/var/log/invoices/sent.log").content_string.split())
    seen = [name for name in seen if name < "5000"]
    assert seen == ["1998.job", "1999.job", *LEFT_BEHIND], f"jobs1: sent: {seen}"


def check_new_job_is_taken(hosts):
    """A job that comes in is sent on every host."""
    for name, host in hosts.items():
        host.run(f"echo 'invoice 9001' >{SPOOL}/9001.new && chown invoices:invoices {SPOOL}/9001.new")
        host.run(f"mv {SPOOL}/9001.new {SPOOL}/in/9001.job")
        wait_for(host, f"ls {SPOOL}/in", [])
        done = host.file(f"{SPOOL}/done/9001.job")
        assert done.exists, f"{name}: a new job is not done after ten seconds"
        assert done.content_string == "sent by billing desk: invoice 9001\n", f"{name}: {done.content_string!r}"


def check_spool_belongs_to_the_worker(hosts):
    """Directories and jobs have the worker as owner, and nobody else may read them."""
    for name, host in hosts.items():
        ran = host.run(f"stat -c '%U:%G %a %F %n' $(find {SPOOL})")
        for line in ran.stdout.splitlines():
            owner, mode, rest = line.split(" ", 2)
            wanted = ("invoices:invoices", "750" if "directory" in rest else "640")
            assert (owner, mode) == wanted, f"{name}: {line}"


def check_section_is_right(hosts):
    """The program's section has the three settings, and those that had to stay."""
    for name, host in hosts.items():
        parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
        parser.read_string(host.file("/etc/supervisor/conf.d/invoices.conf").content_string)
        seen = dict(parser["program:invoices"])
        differs = {key: seen.get(key) for key in {*seen, *SECTION} if seen.get(key) != SECTION.get(key)}
        assert not differs, f"{name}: of [program:invoices], these are not as they should be: {differs}"


def check_lock_belongs_to_the_worker(hosts):
    """The lock is there and names the worker that is running."""
    for name, host in hosts.items():
        lock = host.file(LOCK)
        assert lock.exists, f"{name}: the worker runs without its lock"
        workers = [process for process, _ in find_workers(host)]
        assert [lock.content_string.strip()] == workers, f"{name}: lock {lock.content_string!r}, workers {workers}"


def check_healthy_worker_untouched(jobs2):
    """Where all was in order the worker has been running since the beginning, and sent nothing anew."""
    starts = jobs2.file("/var/log/invoices/starts.log").content_string.splitlines()
    assert len(starts) == 1, f"jobs2: starts of the worker: {starts}"
    for number in ("1998", "1999"):
        seen = jobs2.file(f"{SPOOL}/done/{number}.job").content_string
        assert seen == f"sent by billing desk: invoice {number}\n", f"jobs2: done/{number}.job holds {seen!r}"


def check_other_programs_untouched(hosts):
    """Mailer and metrics have run since the beginning, with what they were given then; their files are as they were."""
    for name, host in hosts.items():
        for program, log in (("mailer", "started with rate 10\n"), ("metrics", "started\n")):
            seen = host.file(f"/var/log/{program}-starts.log").content_string
            assert seen == log, f"{name}: starts of {program}: {seen!r}, not only {log!r}"
            status = host.run(f"supervisorctl status {program}").stdout
            assert "RUNNING" in status, f"{name}: {status.strip()}"
        for program, text in (("mailer", MAILER), ("metrics", METRICS)):
            seen = host.file(f"/etc/supervisor/conf.d/{program}.conf").content_string
            assert seen == text, f"{name}: {program}.conf is now {seen!r}"
