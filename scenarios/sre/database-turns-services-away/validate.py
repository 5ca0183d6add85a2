# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""All services have the database's true password, and the database all of its orders."""

import base64

PASSWORD = "heron-ladder-42"
LOGIN = f"postgresql://shop:{PASSWORD}@127.0.0.1/shop"
COUNT = "SELECT count(*) FROM orders WHERE id LIKE 'seed-%' OR id IN ('ord-kept-0001', 'ord-kept-0002')"


def check_password_is_that_of_the_server(cluster):
    """The Secret holds it, and the server takes it."""
    held = base64.b64decode(cluster.get("Secret", "database-credentials")["data"].get("password", "")).decode()
    assert held == PASSWORD, f"the Secret database-credentials holds {held!r}"
    status, output = cluster.run("database", "psql", LOGIN, "--command=SELECT 1")
    assert status == 0, f"the server does not take its first password: {output[-300:]}"


def check_services_get_in(cluster):
    """All that use the database."""
    for service in ("catalog", "orders", "shipping", "stock"):
        answer = cluster.fetch(service, "/health", port=8080)
        assert answer.status == 200, f"{service}:8080 answers {answer.status}: {answer.text[:200]}"


def check_no_order_is_lost(cluster):
    """Neither of the first nor of later ones."""
    status, output = cluster.run("database", "psql", "--tuples-only", "--no-align", f"--command={COUNT}")
    assert status == 0, f"the database cannot be asked: {output[-300:]}"
    assert int(output) == 26, f"of 26 orders there are {int(output)}"


def check_nothing_else_changed(cluster):
    """Only the password of the Secret."""
    changed = cluster.find_changes("shop/Secret/database-credentials: data.password")
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
    found = cluster.alerts.query('sum(rate(shop_actions_total{action="checkout",result="success"}[10s]))')
    assert sum(rate for _, rate in found) > 0, "nobody buys anything"
