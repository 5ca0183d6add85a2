# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The canary went first, the others followed, and hosts that must not have the new release serve the old one."""

NEW, OLD = "2.4.0", "2.3.1"


def fetch(host, path):
    """Status and body of a page of the service."""
    ran = host.run(f"curl -s -m 5 -w '%{{http_code}}' http://127.0.0.1:8080{path}")
    return ran.stdout[-3:], ran.stdout[:-3].strip()


def read_starts(host):
    """The releases that were started on a host, in order."""
    return host.file("/var/log/feed/starts.log").content_string.split()


def assert_serves(host, name, release):
    """A host's link leads to a release, and its service is well and serves that."""
    assert host.file("/srv/feed/current").is_symlink, f"{name}: /srv/feed/current is no symbolic link"
    target = host.run("readlink -f /srv/feed/current").stdout.strip()
    assert target == f"/srv/feed/releases/{release}", f"{name}: /srv/feed/current leads to {target}"
    seen = fetch(host, "/check")
    assert seen == ("200", "ok"), f"{name}: /check answers {seen}"
    page = fetch(host, "/")
    assert page == ("200", f"feed {release} from {name}"), f"{name}: port 8080 answers {page}"


def check_canary_serves_the_new_release(edge2):
    """The canary has the new release and is well."""
    assert_serves(edge2, "edge2", NEW)


def check_others_follow(edge1):
    """A host that suits the new release and is not held back has it and is well."""
    assert_serves(edge1, "edge1", NEW)


def check_canary_before_the_others(hosts):
    """No other host started the new release before the canary served it."""
    for name, host in hosts.items():
        log = host.file("/var/log/feed/too-early.log").content_string.strip()
        assert not log, f"{name}: {log}"


def check_failing_host_serves_the_old_release(edge3):
    """The host that does not suit the new release serves the old one again, after it was tried."""
    assert_serves(edge3, "edge3", OLD)
    assert NEW in read_starts(edge3), f"edge3 never tried the new release; it started {read_starts(edge3)}"


def check_failing_host_is_held_back(edge3):
    """A mark tells later runs, and people, why this host stays behind."""
    file = edge3.file("/srv/feed/HOLD")
    assert file.exists, "edge3 has no /srv/feed/HOLD"
    lines = file.content_string.splitlines()
    assert lines == ["2.4.0 failed its check"], f"HOLD of edge3 says {lines}"


def check_no_needless_restarts(hosts):
    """The service was restarted once for the new release, and once more where it had to go back."""
    wanted = {"edge1": [NEW], "edge2": [NEW], "edge3": [NEW, OLD]}
    seen = {name: read_starts(hosts[name]) for name in wanted}
    assert seen == wanted, f"started in order: {seen}"


def check_held_host_untouched(edge4):
    """The host that was held back from the beginning serves the old release without a restart, and keeps its mark."""
    assert_serves(edge4, "edge4", OLD)
    assert read_starts(edge4) == [], f"edge4 started {read_starts(edge4)}"
    text = edge4.file("/srv/feed/HOLD").content_string
    assert text == "until the fair is over\n", f"HOLD of edge4 says {text!r}"


def check_releases_and_settings_untouched(hosts):
    """On every host both releases and the layout are as they were, and hosts that took the release have no mark."""
    for name, host in hosts.items():
        wanted = {
            "/etc/feed/layout": "1\n" if name == "edge3" else "2\n",
            "/srv/feed/releases/2.3.1/layouts": "1 2\n",
            "/srv/feed/releases/2.4.0/layouts": "2\n",
        }
        found = host.run("find /etc/feed /srv/feed/releases -type f").stdout.split()
        assert sorted(found) == sorted(wanted), f"{name}: /etc/feed and /srv/feed/releases hold {sorted(found)}"
        seen = {path: host.file(path).content_string for path in wanted}
        assert seen == wanted, f"{name}: {seen}"
        if name in ("edge1", "edge2"):
            assert not host.file("/srv/feed/HOLD").exists, f"{name} is held back"
