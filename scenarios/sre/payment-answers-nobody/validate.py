# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Payment is reached again, by the way that was broken."""


def check_payment_leads_to_its_pods_port(cluster):
    """By its name or by its number."""
    [port] = cluster.get("Service", "payment")["spec"]["ports"]
    assert port["port"] == 8080, f"payment has port {port['port']}"
    assert port["targetPort"] in ("http", 8080), f"payment leads to port {port['targetPort']} of its pods"


def check_payment_is_reached(cluster):
    """It answers at its Service."""
    answer = cluster.fetch("payment", "/ready", port=8080)
    assert answer.status == 200, f"payment:8080 answers {answer.status}: {answer.text[:200]}"


def check_nothing_else_changed(cluster):
    """Only where the Service leads to."""
    changed = cluster.find_changes("shop/Service/payment: spec.ports[http].targetPort")
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
