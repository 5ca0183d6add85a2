# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Both files are as given, the script counts, and nobody else was touched."""

LIMITS = {"mx1": 20, "mx2": 5}
SCRIPT_PATH, TEXT_PATH = "/usr/local/bin/spool-report", "/etc/notifier/spool.tmpl"
SCRIPT = r"""#!/bin/bash
# spool-report for HOST, limit LIMIT
shopt -s nullglob
files=("${1:-/var/spool/outbound}"/*.msg)
state=ok
if [ "${#files[@]}" -gt LIMIT ]; then state=late; fi
printf '%s %d %s\n' 'HOST' "${#files[@]}" "$state"
"""
TEXT = """{{/* sent by HOST */}}
{{ if gt .Waiting LIMIT }}{{ .Host }} is late: {{ .Waiting }} messages{{ else }}{{ .Host }} is fine{{ end }}
"""
OTHER = """{{ .Host }}: {{ .Used }} % of {{ .Disk }} are used
{{ range .Largest }}  {{ .Path }}
{{ end }}
"""


def take_mail(hosts):
    """The mail hosts with their limits."""
    return [(hosts[name], name, limit) for name, limit in LIMITS.items()]


def compare(host, path, given, name, limit):
    """Assert that a file is as given, whatever stands at the lines' ends."""
    wanted = given.replace("HOST", name).replace("LIMIT", str(limit)).rstrip().splitlines()
    assert host.file(path).exists, f"{name} has no {path}"
    seen = [line.rstrip() for line in host.file(path).content_string.rstrip().splitlines()]
    for number in range(max(len(wanted), len(seen))):
        pair = [lines[number] if number < len(lines) else "(no line)" for lines in (seen, wanted)]
        assert pair[0] == pair[1], f"{name}: line {number + 1} of {path} is {pair[0]!r}, not {pair[1]!r}"


def check_script_is_as_given(hosts):
    """The script's lines, with the host's name and limit."""
    for host, name, limit in take_mail(hosts):
        compare(host, SCRIPT_PATH, SCRIPT, name, limit)


def check_text_is_as_given(hosts):
    """The notifier's text, with its own braces."""
    for host, name, limit in take_mail(hosts):
        compare(host, TEXT_PATH, TEXT, name, limit)


def check_script_counts(hosts):
    """The script counts the waiting messages and compares them with the host's limit."""
    for host, name, limit in take_mail(hosts):
        ran = host.run(SCRIPT_PATH)
        wanted = f"{name} 7 {'late' if limit < 7 else 'ok'}"
        assert ran.stdout.strip() == wanted, f"{name}: says {(ran.stdout + ran.stderr).strip()!r}, not {wanted!r}"


def check_script_counts_none(hosts):
    """An empty directory is no message."""
    for host, name, _ in take_mail(hosts):
        ran = host.run(f"{SCRIPT_PATH} /etc/notifier")
        seen = (ran.stdout + ran.stderr).strip()
        assert seen == f"{name} 0 ok", f"{name}: says of a directory without messages {seen!r}"


def check_owners_and_modes(hosts):
    """Owner, group and mode of both files."""
    wanted = {SCRIPT_PATH: ("root", "root", "0o755"), TEXT_PATH: ("root", "adm", "0o640")}
    for host, name, _ in take_mail(hosts):
        for path, access in wanted.items():
            assert host.file(path).exists, f"{name} has no {path}"
            seen = (host.file(path).user, host.file(path).group, oct(host.file(path).mode))
            assert seen == access, f"{name}: {path} is {seen}, not {access}"


def check_other_text_kept(hosts):
    """The text beside it is as it was."""
    for host, name, _ in take_mail(hosts):
        file = host.file("/etc/notifier/disk.tmpl")
        seen = (file.content_string, file.user, file.group, oct(file.mode))
        assert seen == (OTHER, "root", "adm", "0o640"), f"{name}: disk.tmpl is now {seen}"


def check_other_hosts_untouched(ns1):
    """A host outside the group has neither file."""
    found = [path for path in (SCRIPT_PATH, TEXT_PATH) if ns1.file(path).exists]
    assert not found, f"ns1, which is not in group mail, has {found}"
