# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The trial of the payments is off, and no other."""

import json
import time

MOUNTED = "/etc/shop/flags/flags.json"
AT_ONCE = 10.0
TRIAL = "payment_failure_percent"
OTHERS = {
    "cart_failure_percent": 0,
    "catalog_delay_ms": 5,
    "mail_leak_kib": 0,
    "recommend_failure_percent": 0,
    "stock_strict": 0,
}


def read_flags(cluster):
    """The flags that the services are given."""
    return parse_flags(cluster.get("ConfigMap", "shop-flags")["data"].get("flags.json", ""))


def parse_flags(text):
    try:
        return json.loads(text)
    except ValueError as error:
        raise AssertionError(f"the flags are no valid JSON: {error}") from None


def check_payment_works_by_it_at_once(cluster):
    """Its pod reads that the trial is off, without waiting for the cluster; a flag that is not there is off."""
    cluster.assert_rolled_out("payment")
    deadline = time.monotonic() + AT_ONCE
    while value := read_mounted_flags(cluster).get(TRIAL, 0):
        assert time.monotonic() < deadline, f"the pod of payment still reads that {TRIAL} is {value}"
        time.sleep(1)


def read_mounted_flags(cluster):
    """The flags that payment reads anew with each request."""
    status, output = cluster.run("payment", "cat", MOUNTED)
    assert status == 0, f"payment has no flags: {output[-200:]}"
    return parse_flags(output)


def check_trial_is_off(cluster):
    """And stays so."""
    value = read_flags(cluster).get(TRIAL, 0)
    assert value == 0, f"{TRIAL} is {value}"


def check_other_flags_are_kept(cluster):
    """Nobody else's experiment ended."""
    flags = read_flags(cluster)
    found = {name: flags.get(name) for name in flags.keys() | OTHERS.keys() if name != TRIAL}
    assert found == OTHERS, f"they are {found}, were {OTHERS}"


def check_nothing_else_changed(cluster):
    """Only the flags."""
    changed = cluster.find_changes("shop/ConfigMap/shop-flags: data.flags.json")
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
