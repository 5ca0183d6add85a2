# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Orders are prepared and served again, and nothing was left out."""

PROGRAM = ["python3", "-m", "shop"]
LOOKS = {
    "version": "SELECT max(version) FROM schema_version",
    "indexes": "SELECT count(*) FROM pg_indexes WHERE indexname IN ('orders_by_time', 'orders_by_customer')",
    "orders": "SELECT count(*) FROM orders WHERE id LIKE 'seed-%' OR id LIKE 'ord-kept-%'",
}


def check_orders_are_prepared(cluster):
    """By the task that migrates."""
    containers = cluster.get("Deployment", "orders")["spec"]["template"]["spec"].get("initContainers", [])
    assert [each["name"] for each in containers] == ["migrate"], "orders has no init container migrate"
    started = (containers[0].get("command") or PROGRAM) + (containers[0].get("args") or [])
    assert started == [*PROGRAM, "migrate"], f"migrate is started by {started}"


def check_tables_are_up_to_date(cluster):
    """The preparation has done what it is for."""
    assert _look(cluster, "version") == 3, f"the tables are at version {_look(cluster, 'version')}"
    assert _look(cluster, "indexes") == 2, "indexes of the orders are missing"


def check_orders_are_kept(cluster):
    """Those that the shop began with, and later ones."""
    found = _look(cluster, "orders")
    assert found == 26, f"of 26 old orders there are {found}"


def check_nothing_else_changed(cluster):
    """Only what the init container is given."""
    within = "shop/Deployment/orders: spec.template.spec.initContainers[migrate]"
    changed = cluster.find_changes(f"{within}.command", f"{within}.args")
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_customers_see_their_orders(cluster):
    """At the service, and by what they do."""
    answer = cluster.fetch("orders", "/orders/seed-0001", port=8080)
    assert answer.status == 200, f"orders:8080 answers {answer.status}: {answer.text[:200]}"
    found = cluster.alerts.query('sum(rate(shop_actions_total{action="account",result="success"}[10s]))')
    assert sum(rate for _, rate in found) > 0, "nobody looks at an order"


def _look(cluster, name):
    status, output = cluster.run("database", "psql", "--tuples-only", "--no-align", f"--command={LOOKS[name]}")
    assert status == 0, f"the database cannot be asked for the {name}: {output[-300:]}"
    return int(output)
