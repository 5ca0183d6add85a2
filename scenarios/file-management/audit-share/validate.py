# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Who can do what below /srv/finance/reports is tried by doing it as that user."""

import shlex

REPORTS = "/srv/finance/reports"
PROBE = f"{REPORTS}/probe-of-the-validator"


def run_as(host, user, command):
    """Run a command as a user whose umask keeps everybody else out."""
    return host.run(f"su {user} -s /bin/sh -c {shlex.quote('umask 077; ' + command)}")


def try_new_report(host, user, command):
    """Exit status of a user's command in a directory with a file that Dora has just made."""
    made = run_as(host, "dora", f"mkdir {PROBE} && echo figures > {PROBE}/new.csv")
    try:
        assert made.rc == 0, f"dora cannot make a report: {made.stderr.strip()}"
        return run_as(host, user, command)
    finally:
        host.run(f"rm -rf {PROBE}")


def check_directory(share):
    """Owner, group and mode of the directory."""
    directory = share.file(REPORTS)
    seen = (directory.user, directory.group, f"{directory.mode:o}")
    assert seen == ("root", "finance", "2770"), f"{REPORTS}: {seen}"


def check_finance_shares_new_reports(share):
    """What one member of finance makes, another can read and change."""
    for command in (f"cat {PROBE}/new.csv", f"echo more >> {PROBE}/new.csv", f"echo mine > {PROBE}/second.csv"):
        ran = try_new_report(share, "emil", command)
        assert ran.rc == 0, f"emil cannot {command!r}: {ran.stderr.strip()}"


def check_auditors_read_new_reports(share):
    """An auditor can list the directory and read a report made after the change."""
    for command in (f"ls {REPORTS}", f"ls {PROBE}", f"cat {PROBE}/new.csv"):
        ran = try_new_report(share, "gina", command)
        assert ran.rc == 0, f"gina cannot {command!r}: {ran.stderr.strip()}"


def check_auditors_change_nothing(share):
    """An auditor can neither change, add nor remove a report."""
    for command in (
        f"echo x >> {PROBE}/new.csv",
        f"touch {PROBE}/hers",
        f"rm -f {PROBE}/new.csv",
        f"mkdir {REPORTS}/hers",
    ):
        ran = try_new_report(share, "gina", command)
        share.run(f"rm -rf {REPORTS}/hers")
        assert ran.rc != 0, f"gina could {command!r}"


def check_strangers_stay_outside(share):
    """Who is in neither group sees nothing."""
    for command in (f"ls {REPORTS}", f"cat {PROBE}/new.csv"):
        ran = try_new_report(share, "tom", command)
        assert ran.rc != 0, f"tom could {command!r}"


def check_draft_is_untouched(share):
    """The report that was there already is as it was."""
    draft = share.file(f"{REPORTS}/draft.csv")
    assert draft.exists, "draft.csv is gone"
    seen = (draft.user, draft.group, f"{draft.mode:o}", draft.content_string)
    assert seen == ("dora", "dora", "600", "draft;not for auditors yet\n"), f"draft.csv: {seen}"
    rules = share.run(f"getfacl -cp {draft.path}").stdout.split()
    assert rules == ["user::rw-", "group::---", "other::---"], f"draft.csv: {' '.join(rules)}"


def check_year_2025_is_untouched(share):
    """The neighbouring directory is as it was."""
    directory, ledger = share.file("/srv/finance/2025"), share.file("/srv/finance/2025/ledger.csv")
    assert ledger.exists, "ledger.csv is gone"
    seen = [(f.user, f.group, f"{f.mode:o}") for f in (directory, ledger)]
    assert seen == [("dora", "finance", "750"), ("dora", "finance", "640")], f"directory and ledger: {seen}"
    assert ledger.content_string == "account;amount\n", f"ledger.csv holds {ledger.content_string!r}"
    rules = share.run("getfacl -Rcp /srv/finance/2025").stdout
    assert "audit" not in rules, f"2025 has got rules: {rules}"
    assert "default" not in rules, f"2025 has got rules: {rules}"
