# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The cache has its room, now and after its next start, and lost no cart."""

PLAN = 16 * 1024**2
UNITS = {"kb": 1024, "mb": 1024**2, "gb": 1024**3, "k": 1000, "m": 1000**2, "g": 1000**3, "": 1}
CARTS = {"alice": {"1": "1", "7": "3"}, "bob": {"5": "1"}, "carol": {"9": "1", "10": "1", "11": "2"}}


def ask_cache(cluster, *command):
    """What the cache answers, line by line."""
    line = 'exec redis-cli --no-auth-warning -a "$REDIS_PASSWORD" "$@"'
    status, output = cluster.run("cache", "sh", "-c", line, "sh", *command)
    assert status == 0, f"the cache does not answer: {output[-200:]}"
    return output.split()


def check_setting_is_right(cluster):
    """Where the next pod of the cache takes it from."""
    value = cluster.get("ConfigMap", "cache-settings")["data"].get("maxmemory", "")
    digits, unit = value.rstrip("kKmMgGbB"), value.lstrip("0123456789").lower()
    size = int(digits) * UNITS[unit] if digits.isdecimal() and unit in UNITS else 0
    assert size == PLAN, f"the cache is set up with {value!r}"


def check_cache_has_its_room(cluster):
    """The cache that runs, once it is of its latest form."""
    cluster.assert_rolled_out("cache")
    _, size = ask_cache(cluster, "config", "get", "maxmemory")
    assert int(size) == PLAN, f"the cache has room for {size} bytes"


def check_carts_are_never_dropped(cluster):
    """What is new is refused when there is no room."""
    value = cluster.get("ConfigMap", "cache-settings")["data"].get("policy")
    _, policy = ask_cache(cluster, "config", "get", "maxmemory-policy")
    assert (value, policy) == ("noeviction", "noeviction"), f"set up is {value}, the cache runs with {policy}"


def check_carts_are_kept(cluster):
    """Those which customers left behind."""
    for customer, cart in CARTS.items():
        words = ask_cache(cluster, "hgetall", f"cart:{customer}")
        found = dict(zip(words[::2], words[1::2], strict=True))
        assert found == cart, f"{customer} has {found}, had {cart}"


def check_nothing_else_changed(cluster):
    """Only the room that the cache has."""
    changed = cluster.find_changes("shop/ConfigMap/cache-settings: data.maxmemory")
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_customers_can_buy(cluster):
    """Orders come in again."""
    [(_, rate)] = cluster.alerts.query('sum(rate(shop_actions_total{action="checkout",result="success"}[10s]))')
    assert rate > 0, "nobody buys anything"
