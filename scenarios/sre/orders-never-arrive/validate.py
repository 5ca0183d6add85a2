# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Shipping runs, orders is reached, and every order that was taken is in the database."""

import time
from itertools import pairwise

PATIENCE = 15.0
OLD = "SELECT count(*) FROM orders WHERE id LIKE 'seed-%' OR id LIKE 'ord-kept-%'"
SHIPPED = "SELECT count(*) FROM orders o JOIN shipments s ON s.order_id = o.id WHERE o.id LIKE 'ord-%'"


def check_shipping_asks_for_what_it_did(cluster):
    """Its requests and limits."""
    [container] = cluster.get("Deployment", "shipping")["spec"]["template"]["spec"]["containers"]
    found, wanted = container.get("resources", {}), {"cpu": "5m", "memory": "32Mi"}
    assert found.get("requests") == wanted, f"it asks for {found.get('requests')}"
    assert found.get("limits") == {"cpu": "300m", "memory": "40Mi"}, f"its limits are {found.get('limits')}"


def check_orders_is_reached(cluster):
    """Its Service leads to the port on which it listens, and it answers with what customers ordered long ago."""
    [port] = cluster.get("Service", "orders")["spec"]["ports"]
    assert port["port"] == 8080, f"the Service listens on port {port['port']}"
    assert port["targetPort"] in ("http", 8080), f"the Service leads to port {port['targetPort']}"
    answer = cluster.fetch("orders", "/orders/seed-0007", port=8080)
    assert answer.status == 200, f"orders answers {answer.status}: {answer.text[:200]}"


def check_nothing_else_changed(cluster):
    """Only what shipping asks for, and where the Service of orders leads to."""
    changed = cluster.find_changes(
        "shop/Deployment/shipping: spec.template.spec.containers[shipping].resources.*",
        "shop/Service/orders: spec.ports[http].targetPort",
    )
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_no_order_is_lost(cluster):
    """The database still has the old ones; what checkout took is there and shipped, or gets there soon."""
    old = ask_database(cluster, OLD)
    assert old == 26, f"of 26 old orders there are {old}"
    deadline = time.monotonic() + PATIENCE
    while (taken := count_over_restarts(cluster, "checkout_orders_total")) > (kept := ask_database(cluster, SHIPPED)):
        assert time.monotonic() < deadline, f"{taken:g} orders were taken, {kept} are recorded and shipped"
        time.sleep(1)


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


def check_customers_see_their_orders(cluster):
    """The page of their account."""
    [(_, rate)] = cluster.alerts.query('sum(rate(shop_actions_total{action="account",result="success"}[10s]))')
    assert rate > 0, "nobody sees orders"
