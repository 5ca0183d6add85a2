# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Nothing locks the stock, and the database still has everything."""

import time
from itertools import pairwise

PATIENCE = 15.0
OLD = "SELECT count(*) FROM orders WHERE id LIKE 'seed-%' OR id LIKE 'ord-kept-%'"
NEW = "SELECT count(*) FROM orders WHERE id LIKE 'ord-%' AND id NOT LIKE 'ord-kept-%'"


def ask_database(cluster, query):
    """The one number that a query gives."""
    status, output = cluster.run("database", "psql", "-tA", "-c", query)
    assert status == 0, f"the database does not answer: {output[-200:]}"
    return int(output)


def count_over_restarts(cluster, counter):
    """What a counter has counted in all; it begins anew with its pod, so that what it fell from counts, too."""
    total = 0.0
    for series in cluster.alerts.ask("/api/v1/query", query=f"{counter}[1h]")["result"]:
        values = [float(value) for _, value in series["values"]]
        total += sum(value for value, later in pairwise([*values, 0.0]) if later < value)
    return total


def check_cause_is_gone(cluster):
    """The stocktake cannot come back by itself."""
    assert cluster.find("Deployment", "stocktake") is None, "the Deployment stocktake is still there"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_stock_is_not_locked(cluster):
    """No session holds a transaction open."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND now() - xact_start > interval '3 s'"
    found = ask_database(cluster, query)
    assert found == 0, f"{found} sessions hold a transaction open and do nothing"


def check_no_order_is_lost(cluster):
    """The database still has the old ones; what checkout took is there, or gets there soon."""
    old = ask_database(cluster, OLD)
    assert old == 26, f"of 26 old orders there are {old}"
    deadline = time.monotonic() + PATIENCE
    while (taken := count_over_restarts(cluster, "checkout_orders_total")) > (kept := ask_database(cluster, NEW)):
        assert time.monotonic() < deadline, f"{taken:g} orders were taken, {kept} are recorded"
        time.sleep(1)


def check_no_stock_is_lost(cluster):
    """Each product is there, and as many pieces as were not ordered, but for a few orders that are on their way."""
    query = (
        "SELECT count(*) FROM stock LEFT JOIN (SELECT product_id, sum(quantity) AS sold FROM order_items"
        " WHERE order_id LIKE 'ord-%' GROUP BY 1) AS items USING (product_id)"
        " WHERE abs(100000 + product_id - coalesce(sold, 0) - quantity) <= 50"
    )
    found = ask_database(cluster, query)
    assert found == 12, f"of 12 products {found} have the stock that they should have"


def check_database_was_not_restarted(cluster):
    """Its pod is older than the moment in which the first customers were there, and its container the first one."""
    [load] = [pod for pod in cluster.find_all("Pod", "monitor") if pod["metadata"]["labels"].get("app") == "load"]
    [steady] = [each["lastTransitionTime"] for each in load["status"]["conditions"] if each["type"] == "Ready"]
    pod = cluster.find_pod("database")
    begun, [container] = pod["metadata"]["creationTimestamp"], pod["status"]["containerStatuses"]
    assert begun <= steady, f"its pod is of {begun}, the shop was open at {steady}"
    assert container["restartCount"] == 0, f"its container was started anew {container['restartCount']} times"


def check_nothing_else_changed(cluster):
    """Only the stocktake is gone."""
    changed = cluster.find_changes("shop/Deployment/stocktake: *")
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_customers_can_buy(cluster):
    """Orders come in again."""
    [(_, rate)] = cluster.alerts.query('sum(rate(shop_actions_total{action="checkout",result="success"}[10s]))')
    assert rate > 0, "nobody buys anything"
