# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Checkout runs the release that it ran before, and nothing else was touched."""


def check_checkout_runs_its_earlier_release(cluster):
    """That of all services of the shop, which are one image."""
    wanted = _image(cluster, "web")
    found = _image(cluster, "checkout")
    assert found == wanted, f"checkout is to run {found}, and ran {wanted} before"


def check_checkout_is_ready(cluster):
    """With one replica."""
    replicas = cluster.get("Deployment", "checkout")["spec"]["replicas"]
    assert replicas == 1, f"checkout wants {replicas} replicas"
    cluster.assert_rolled_out("checkout")
    answer = cluster.fetch("checkout", "/health", port=8080)
    assert answer.status == 200, f"checkout:8080 answers {answer.status}: {answer.text[:200]}"


def check_nothing_else_changed(cluster):
    """Only the release of checkout."""
    changed = cluster.find_changes("shop/Deployment/checkout: spec.template.spec.containers[checkout].image")
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


def _image(cluster, name):
    [container] = cluster.get("Deployment", name)["spec"]["template"]["spec"]["containers"]
    return container["image"]
