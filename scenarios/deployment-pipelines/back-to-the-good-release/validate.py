# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Where the present release failed, the last good one serves; what failed is kept, and the rest is as it was."""

import json
from pathlib import Path

BASE = "/srv/courier"
HISTORY = "4.6.0 live\n4.7.10 live\n4.8.0 live\n"
PROGRAM = Path(__file__).with_name("environment").joinpath("courier").read_text("utf-8")
OTHERS = {
    "4.6.0": "good",
    "4.7.2": "good",
    "4.7.9": "good",
    "4.7.10": "good",
    "4.7.11": "not good: loses parcels",
    "4.7.12": None,
    "4.9.0": "good",
}
"""The verdict on each of app1's releases but the one that fails."""


def fetch(host, path):
    """Status and body of a page of the service."""
    ran = host.run(f"curl -s -m 5 -w '%{{http_code}}' http://127.0.0.1:8090{path}")
    return ran.stdout[-3:], ran.stdout[:-3].strip()


def assert_release_kept(host, version, verdict):
    """A release's files are all there, with their contents, owner and modes."""
    place = f"{BASE}/releases/{version}"
    wanted = {"bin": "755", "bin/courier": "755", "FORMATS": "644", "VERSION": "644"}
    wanted |= {"VERDICT": "644"} if verdict else {}
    listed = host.run(f"cd {place} && find . -mindepth 1 -exec stat -c '%n %a %U:%G' '{{}}' ';'").stdout.splitlines()
    seen = {line.split()[0].removeprefix("./"): line.split()[1:] for line in listed}
    assert seen == {name: [mode, "courier:courier"] for name, mode in wanted.items()}, f"{place} holds {seen}"
    assert host.file(f"{place}/VERSION").content_string == f"{version}\n", f"{place}/VERSION was changed"
    assert host.file(f"{place}/bin/courier").content_string == PROGRAM, f"{place}/bin/courier was changed"
    formats = "3\n" if version in ("4.8.0", "4.9.0") else "2\n"
    assert host.file(f"{place}/FORMATS").content_string == formats, f"{place}/FORMATS was changed"
    if verdict:
        said = host.file(f"{place}/VERDICT").content_string.splitlines()
        assert said == [verdict], f"{place}/VERDICT says {said}, not {verdict!r}"


def assert_parcels_kept(host, form):
    """The parcels are there in their format, and only the service's user and group may read them."""
    file = host.file(f"{BASE}/shared/parcels.json")
    wanted = {"format": form, "parcels": {"C-1017": "Lyon", "C-1018": "Gent"}}
    assert json.loads(file.content_string) == wanted, f"parcels.json holds {file.content_string!r}"
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("courier", "courier", "0o640"), f"parcels.json is {seen}"


def check_service_is_well_again(app1):
    """The service answers again where it failed."""
    seen = fetch(app1, "/health")
    assert seen == ("200", "ok"), f"/health on app1 answers {seen}"


def check_good_release_in_use(app1):
    """The last good release before the failed one is the one that answers, and to which the link leads."""
    assert app1.file(f"{BASE}/current").is_symlink, f"{BASE}/current is no symbolic link"
    target = app1.run(f"readlink -f {BASE}/current").stdout.strip()
    assert target == f"{BASE}/releases/4.7.10", f"{BASE}/current leads to {target}"
    seen = fetch(app1, "/")
    assert seen == ("200", "courier 4.7.10"), f"port 8090 of app1 answers {seen}"


def check_restarted_once(app1):
    """The service was restarted a single time."""
    starts = app1.file("/var/lib/courier/starts").content_string.split()
    assert starts == ["4.8.0", "4.7.10"], f"app1 started {starts}, not 4.8.0 and then once 4.7.10"


def check_failed_release_kept(app1):
    """The failed release is where it was and whole, and is marked as failed."""
    assert_release_kept(app1, "4.8.0", "failed")


def check_failed_release_log_kept(app1):
    """What the failed release wrote into its log can still be read, by those who could before."""
    file = app1.file("/var/log/courier/courier-4.8.0.log")
    assert file.exists, "there is no courier-4.8.0.log"
    text = file.content_string
    assert text.startswith("4.8.0: started\n"), f"the kept log begins with {text[:80]!r}"
    assert "4.8.0: cannot read parcels of format 2\n" in text, f"the kept log does not tell of the failure: {text!r}"
    assert "4.7" not in text, f"the kept log is not the failed release's own: {text!r}"
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("courier", "adm", "0o640"), f"courier-4.8.0.log is {seen}"


def check_history_tells_it_once(app1):
    """The history has one further line, at its end."""
    seen = app1.file(f"{BASE}/shared/HISTORY").content_string.splitlines()
    wanted = [*HISTORY.splitlines(), "4.8.0 failed, back to 4.7.10"]
    assert seen == wanted, f"HISTORY of app1 holds {seen}"


def check_parcels_and_other_releases_untouched(app1):
    """Shared data and all other releases are as they were."""
    assert_parcels_kept(app1, 2)
    names = sorted(app1.run(f"find {BASE}/shared -mindepth 1 | sed 's,.*/,,'").stdout.split())
    assert names == ["HISTORY", "parcels.json"], f"{BASE}/shared holds {names}"
    found = set(app1.run(f"find {BASE}/releases -mindepth 1 -maxdepth 1 | sed 's,.*/,,'").stdout.split())
    assert found - {"4.8.0"} == set(OTHERS), f"{BASE}/releases holds {sorted(found)}"
    for version, verdict in OTHERS.items():
        assert_release_kept(app1, version, verdict)


def check_healthy_host_untouched(app2):
    """The host on which the present release is well still runs it, without a restart."""
    target = app2.run(f"readlink -f {BASE}/current").stdout.strip()
    assert target == f"{BASE}/releases/4.8.0", f"{BASE}/current of app2 leads to {target}"
    starts = app2.file("/var/lib/courier/starts").content_string.split()
    assert starts == ["4.8.0"], f"app2 started {starts}"
    assert fetch(app2, "/") == ("200", "courier 4.8.0"), f"port 8090 of app2 answers {fetch(app2, '/')}"
    for version in ("4.6.0", "4.7.9", "4.7.10", "4.8.0"):
        assert_release_kept(app2, version, "good")
    assert_parcels_kept(app2, 3)
    assert app2.file(f"{BASE}/shared/HISTORY").content_string == HISTORY, "HISTORY of app2 was changed"
    logs = app2.run("find /var/log/courier -type f").stdout.split()
    assert logs == ["/var/log/courier/courier.log"], f"logs on app2: {logs}"
