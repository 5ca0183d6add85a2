# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The new release is in service everywhere, never was nobody, and the proxy passes on to all."""

import re

RELEASE = "/srv/shop/releases/3.1.0"
ANSWER = re.compile(r".*?#\d{3}", re.DOTALL)


def take_apps(hosts):
    """The application hosts by name."""
    return {name: host for name, host in hosts.items() if name.startswith("app")}


def fetch(host, url):
    """Status and body of a page."""
    ran = host.run(f"curl -s -m 5 -w '%{{http_code}}' {url}")
    return ran.stdout[-3:], ran.stdout[:-3].strip()


def check_release_is_current(hosts):
    """The link leads to the new release on each application host."""
    for name, host in take_apps(hosts).items():
        target = host.run("readlink -f /srv/shop/current").stdout.strip()
        assert host.file("/srv/shop/current").is_symlink, f"{name}: /srv/shop/current is no symbolic link"
        assert target == RELEASE, f"{name}: /srv/shop/current leads to {target}"


def check_release_in_service(hosts):
    """Each application host serves the new release."""
    for name, host in take_apps(hosts).items():
        seen = fetch(host, "http://127.0.0.1:8080/")
        assert seen == ("200", f"shop 3.1.0 from {name}"), f"{name}: port 8080 answers {seen}"


def check_never_without_service(hosts):
    """No host stopped or started while no other was in service."""
    for name, host in take_apps(hosts).items():
        log = host.file("/var/log/shop/outages.log").content_string.strip()
        assert not log, f"{name}: {log}"


def check_restarted_once(hosts):
    """Each application host started exactly once, with the new release."""
    for name, host in take_apps(hosts).items():
        log = host.file("/var/log/shop/starts.log").content_string.split("\n")[:-1]
        assert log == ["started 3.1.0"], f"{name}: starts since the beginning: {log or 'none'}"


def check_proxy_uses_all(lb1):
    """Requests to the proxy reach every application host in turn."""
    # One connection for all requests: each of nginx's workers takes turns on its own.
    ran = lb1.run("curl -s -m 20 -w '#%{http_code}\\n'" + 8 * " http://127.0.0.1:8000/")
    seen = [" ".join(answer.split()) for answer in ANSWER.findall(ran.stdout)]
    for name in ("app1", "app2"):
        assert f"shop 3.1.0 from {name} #200" in seen, f"port 8000 of lb1 never answers from {name}: {seen}"
    wrong = [answer for answer in seen if not answer.endswith("#200")]
    assert not wrong, f"port 8000 of lb1 answers {wrong}"


def check_proxy_passes_paths(lb1):
    """The proxy passes other paths on as well."""
    seen = fetch(lb1, "http://127.0.0.1:8000/health")
    assert seen == ("200", "ok"), f"/health on port 8000 of lb1 answers {seen}"


def check_proxy_configured_in_place(lb1):
    """The configuration stands in its file, names the hosts, and nginx accepts it."""
    path = "/etc/nginx/conf.d/shop.conf"
    assert lb1.file(path).exists, f"lb1 has no {path}"
    text = lb1.file(path).content_string
    missing = [name for name in ("app1:8080", "app2:8080") if name not in text]
    assert not missing, f"{path} does not name {missing}"
    ran = lb1.run("nginx -t")
    assert ran.rc == 0, f"nginx -t: {ran.stderr.strip()}"


def check_intranet_untouched(lb1):
    """The other site's configuration and page are as they were."""
    digest = lb1.run("sha256sum /etc/nginx/conf.d/intranet.conf").stdout.split()
    assert digest[:1] == ["6e0e6d5ea4bdc2d6dc1c20fbb312e5e44970276eb42cf7536d957f257b551842"], (
        "lb1: intranet.conf was changed"
    )
    seen = fetch(lb1, "http://127.0.0.1:8081/")
    assert seen == ("200", "intranet"), f"port 8081 of lb1 answers {seen}"
