# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The store has its new limits, now and after its next start, and every shopper is still signed in."""

PASSWORD = "tulip-harbour-42"
CONFIG = "/etc/session-store/redis.conf"
LIMITS = {"maxmemory": "100663296", "maxmemory-policy": "volatile-ttl", "timeout": "900"}
OTHERS = {
    "appendonly": "no",
    "bind": "127.0.0.1",
    "maxclients": "200",
    "notify-keyspace-events": "xE",
    "requirepass": PASSWORD,
    "save": "",
    "tcp-keepalive": "120",
}
COMMENTS = (
    "# Session store of the shop. Sessions live in memory and nowhere else.",
    "# The shop and the warehouse know this password.",
    "# Agreed on with the shop in spring.",
    "# What differs on this machine.",
)
# A second server, started from the same file, tells what the next start brings; it goes as soon as it has told.
START = f"""
cd /tmp
redis-server {CONFIG} --port 6390 --bind 127.0.0.1 --pidfile /run/second-store.pid --logfile '' --daemonize yes \
  --dir /tmp >/tmp/second-store 2>&1 || {{ cat /tmp/second-store; exit 1; }}
for _ in $(seq 60); do redis-cli -p 6390 ping >/dev/null 2>&1 && break; sleep 0.05; done
redis-cli -p 6390 -a {PASSWORD} --no-auth-warning config get '*'
redis-cli -p 6390 -a {PASSWORD} --no-auth-warning shutdown nosave
rm -f /tmp/second-store
"""
PLATFORM = """# Defaults of the platform team, the same on all machines.
maxmemory 32mb
maxmemory-policy allkeys-random
timeout 0
maxclients 200
"""


def ask(host, command):
    """What the running store answers, by line."""
    ran = host.run(f"redis-cli -a {PASSWORD} --no-auth-warning {command}")
    assert ran.rc == 0, f"redis-cli {command}: {ran.stderr.strip() or ran.stdout.strip()}"
    return ran.stdout.replace("\r", "").splitlines()


def pair(lines):
    """Names and values, which follow each other."""
    return dict(zip(lines[::2], lines[1::2], strict=False))


def read_next_start(host):
    """The settings that a start from the file brings."""
    ran = host.run(START)
    settings = pair(ran.stdout.splitlines())
    assert "maxmemory" in settings, f"no server starts from {CONFIG}: {ran.stdout[-300:]} {ran.stderr[-300:]}"
    return settings


def check_running_store_has_the_new_limits(cache):
    """The limits are in force."""
    seen = {name: pair(ask(cache, f"config get {name}")).get(name) for name in LIMITS}
    assert seen == LIMITS, f"the running store has {seen}"


def check_sessions_are_still_there(cache):
    """Every session holds what it held and ends in time."""
    numbers = range(101, 141)
    seen = ask(cache, "mget " + " ".join(f"session:{number}" for number in numbers))
    lost = [number for number, value in zip(numbers, seen, strict=False) if value != f"shopper-{number}"]
    assert not lost, f"{len(lost)} of {len(numbers)} sessions are lost or changed: {lost[:5]}"
    for number in (101, 120, 140):
        left = int(ask(cache, f"ttl session:{number}")[0])
        assert 0 < left <= 7200, f"session {number} has {left} seconds left"


def check_baskets_are_still_there(cache):
    """Every basket holds what it held."""
    for number in range(101, 141):
        seen = pair(ask(cache, f"hgetall basket:{number}"))
        wanted = {"items": str(number % 7 + 1), "of": f"shopper-{number}"}
        assert seen == wanted, f"basket {number} holds {seen}"


def check_store_was_not_restarted(cache):
    """The server that answers is the one that ran in the beginning."""
    seen = [line.partition(":")[2] for line in ask(cache, "info server") if line.startswith("run_id:")]
    first = cache.file("/run/first-store").content_string.split()
    assert seen == first, f"another server answers: {seen}, not {first}"


def check_next_start_uses_the_new_limits(cache):
    """A start from the file brings the limits."""
    settings = read_next_start(cache)
    seen = {name: settings.get(name) for name in LIMITS}
    assert seen == LIMITS, f"the next start brings {seen}"


def check_other_settings_untouched(cache):
    """All other settings are what they were, running and at the next start; the comments are there."""
    settings = read_next_start(cache)
    for name, wanted in OTHERS.items():
        running = pair([*ask(cache, f"config get {name}"), ""]).get(name)
        assert sorted(running or "") == sorted(wanted), f"running, {name} is {running!r}"
        if name != "bind":
            assert sorted(settings.get(name, "?")) == sorted(wanted), (
                f"at the next start, {name} is {settings.get(name)!r}"
            )
    lines = cache.file(CONFIG).content_string.splitlines()
    lost = [comment for comment in COMMENTS if comment not in lines]
    assert not lost, f"{CONFIG} has lost comments: {lost}"
    for line in ("bind 127.0.0.1", "port 6379", "pidfile /run/session-store/redis.pid"):
        assert line in [seen.replace('"', "") for seen in lines], f"{CONFIG} has lost {line!r}"


def check_platform_file_untouched(cache):
    """The platform team's file is as it was, and is included."""
    seen = cache.file("/etc/session-store/platform.conf").content_string
    assert seen == PLATFORM, f"platform.conf is now {seen!r}"
    lines = [line.split() for line in cache.file(CONFIG).content_string.splitlines()]
    assert ["include", "/etc/session-store/platform.conf"] in lines, f"{CONFIG} does not include it any more"


def check_password_stays_private(cache):
    """The file with the password can be read by the store and by root only."""
    file = cache.file(CONFIG)
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("root", "redis", "0o640"), f"{CONFIG} is {seen}"
    ran = cache.run("redis-cli get session:101")
    assert "NOAUTH" in ran.stdout + ran.stderr, f"without the password the store answers {ran.stdout.strip()!r}"
