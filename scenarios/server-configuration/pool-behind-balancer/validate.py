# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The balancer distributes the shop's requests among the hosts that are fit; portal and hosts are as they were."""

import time
from contextlib import contextmanager

SHOP = "shop.example.test"
MAINTENANCE = "/srv/shop/maintenance"
SHARED = """# The balancer of several teams: each keeps to sections of its own.
global
    maxconn 400
    stats socket /run/haproxy/admin.sock mode 600 level admin

defaults
    mode http
    timeout connect 2s
    timeout client 20s
    timeout server 20s

# The portal team's sections. Ask before you change anything here.
frontend portal
    bind *:8081
    http-response set-header X-Served-By portal
    default_backend portal

backend portal
    server local 127.0.0.1:8090
"""
SHOP_CONF = "368ee4efef28f662ad8facf6123de957a81ee6e3eb40f18b4155e2ce1bd693b1"


def ask(host, count=1, path="/", name=SHOP):
    """Bodies (or the status, where it is not 200) of that many requests to the balancer, one after the other."""
    ask_once = f"curl -s --max-time 5 -H 'Host: {name}' -w ' %{{http_code}}\\n' http://lb{path}"
    ran = host.run(f"for _ in $(seq {count}); do {ask_once} | tr '\\r\\n' '  '; echo; done")
    answers = [line.rsplit(None, 1) for line in ran.stdout.splitlines()]
    return [answer[0] if answer[-1] == "200" else f"status {answer[-1]}" for answer in answers if answer]


def count_answers(host, count=12):
    """How many requests of so many each host has answered."""
    seen = [answer.split()[0] if answer.startswith("app") else answer for answer in ask(host, count)]
    return {name: seen.count(name) for name in sorted(set(seen))}


def settle(host, wanted):
    """Wait until exactly these hosts answer, at most ten seconds; who answers then."""
    end = time.monotonic() + 10
    while set(seen := count_answers(host)) != set(wanted) and time.monotonic() < end:
        time.sleep(0.3)
    return seen


@contextmanager
def maintenance(host, begin):
    """The host in maintenance, or out of it, as long as a check looks."""
    put, take = f"mkdir -p /srv/shop; echo checked >{MAINTENANCE}", f"rm -f {MAINTENANCE}"
    kept = host.file(MAINTENANCE).content_string if not begin else ""
    host.run(put if begin else take)
    try:
        yield
    finally:
        host.run(take if begin else f"printf '%s\\n' '{kept.strip()}' >{MAINTENANCE}")


def check_configuration_is_valid(lb):
    """HAProxy accepts its file."""
    ran = lb.run("haproxy -c -f /etc/haproxy/haproxy.cfg")
    assert ran.rc == 0, f"haproxy -c: {(ran.stderr or ran.stdout).strip()[-400:]}"


def check_shop_answers_from_the_hosts_in_turn(lb):
    """Requests to port 80 are answered by the hosts that are fit, each in its turn."""
    seen = settle(lb, ["app1", "app2"])
    assert min(seen.get("app1", 0), seen.get("app2", 0)) >= 4, f"of twelve requests answered: {seen}"


def check_host_in_maintenance_gets_no_requests(lb):
    """The host whose health page answers 503 is passed no request."""
    seen = settle(lb, ["app1", "app2"])
    assert set(seen) == {"app1", "app2"}, f"of twelve requests answered: {seen}"


def check_requests_carry_host_name_and_client(lb, app1):
    """A host sees the path and the host name that were asked for, and the client's address."""
    settle(lb, ["app1", "app2"])
    address = app1.run('ip -4 -o addr show dev eth0 | awk \'{ sub("/.*", "", $4); print $4 }\'').stdout.strip()
    seen = ask(app1, path="/cart/7")[0]
    assert seen.endswith(f" {SHOP} /cart/7 [{address}]"), f"the request of {address} arrives as {seen!r}"
    seen = ask(app1, name="other.example.test")[0]
    assert seen == "status 404", f"a request for another host name is answered by {seen!r}: its name was changed"


def check_failing_host_is_left_out(lb, app2):
    """A host that becomes unfit gets no more requests after a short time, and all others are answered."""
    with maintenance(app2, begin=True):
        seen = settle(lb, ["app1"])
    assert set(seen) == {"app1"}, f"ten seconds after app2 failed, of twelve requests answered: {seen}"
    seen = settle(lb, ["app1", "app2"])
    assert set(seen) == {"app1", "app2"}, f"ten seconds after app2 was fit again, of twelve requests answered: {seen}"


def check_host_back_from_maintenance_gets_requests(lb, app3):
    """The host that is in maintenance gets its share as soon as it is fit."""
    with maintenance(app3, begin=False):
        seen = settle(lb, ["app1", "app2", "app3"])
    assert set(seen) == {"app1", "app2", "app3"}, f"of twelve requests answered: {seen}"


def check_hosts_are_named_as_in_the_inventory(lb):
    """The file names every host of the pool with its port."""
    text = lb.file("/etc/haproxy/haproxy.cfg").content_string
    missing = [name for name in ("app1:8080", "app2:8080", "app3:8080") if name not in text]
    assert not missing, f"/etc/haproxy/haproxy.cfg does not name {missing}"


def check_portal_untouched(lb):
    """The portal answers and is asked as before, and the sections it uses are what they were."""
    ran = lb.run("curl -s -i --max-time 5 http://127.0.0.1:8081/")
    assert " 200 " in ran.stdout.partition("\n")[0], f"port 8081 answers {ran.stdout[:80]!r}"
    assert "x-served-by: portal" in ran.stdout.lower(), "the portal's answer has lost its header X-Served-By"
    assert "portal for []" in ran.stdout, f"the portal is asked otherwise than before: {ran.stdout.splitlines()[-1]}"
    seen = [line.strip() for line in lb.file("/etc/haproxy/haproxy.cfg").content_string.splitlines()]
    wanted = [line.strip() for line in SHARED.splitlines()]
    assert is_part(wanted, seen), "sections of haproxy.cfg that are not the shop's were changed"


def is_part(wanted, seen):
    """Whether the shared lines stand together, but for blank lines, in front of or behind what was added."""
    wanted, seen = [[line for line in lines if line] for lines in (wanted, seen)]
    return any(seen[at : at + len(wanted)] == wanted for at in range(len(seen)))


def check_pool_untouched(hosts):
    """The hosts of the pool have their configuration, and the one in maintenance is so still."""
    for name in ("app1", "app2", "app3"):
        digest = hosts[name].run("sha256sum /etc/nginx/conf.d/shop.conf").stdout.split()[:1]
        assert digest == [SHOP_CONF], f"{name}: /etc/nginx/conf.d/shop.conf was changed"
        left = hosts[name].file(MAINTENANCE).exists
        assert left == (name == "app3"), f"{name}: {MAINTENANCE} is {'there' if left else 'gone'}"
    seen = hosts["app3"].file(MAINTENANCE).content_string
    assert seen == "New disks, until Thursday.\n", f"app3: {MAINTENANCE} holds {seen!r}"
