# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The Service of the carts finds its pods again, and nothing else was touched."""


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_service_leads_to_the_carts(cluster):
    """By the label that all services of the shop use."""
    found = cluster.get("Service", "cart")["spec"].get("selector")
    assert found == {"app": "cart"}, f"the Service cart looks for pods with {found}"


def check_carts_are_reached(cluster):
    """They answer at their Service."""
    answer = cluster.fetch("cart", "/ready", port=8080)
    assert answer.status == 200, f"cart:8080 answers {answer.status}: {answer.text[:200]}"


def check_carts_are_as_they_were(cluster):
    """Those that the shop began with hold something still."""
    for customer in ("alice", "bob", "carol"):
        answer = cluster.fetch("cart", f"/carts/{customer}", port=8080)
        assert answer.status == 200, f"the cart of {customer} answers {answer.status}: {answer.text[:200]}"
        assert answer.json["items"], f"the cart of {customer} is empty"


def check_nothing_else_changed(cluster):
    """Only how the Service finds its pods."""
    changed = cluster.find_changes("shop/Service/cart: spec.selector*")
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_customers_fill_their_carts(cluster):
    """Something is put into carts again."""
    found = cluster.alerts.query('sum(rate(shop_actions_total{action="cart",result="success"}[10s]))')
    assert sum(rate for _, rate in found) > 0, "nobody puts anything into a cart"
