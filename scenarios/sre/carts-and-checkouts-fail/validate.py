# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Stock has its Service again, and the carts are probed where they answer."""


def check_stock_is_reached(cluster):
    """By a Service like the others, which leads to it."""
    service = cluster.get("Service", "stock")
    labels, spec = service["metadata"].get("labels"), service["spec"]
    assert labels == {"app": "stock"}, f"the Service has the labels {labels}"
    assert spec.get("selector") == {"app": "stock"}, f"the Service selects {spec.get('selector')}"
    assert spec.get("clusterIP") not in (None, "", "None"), "the Service has no cluster IP"
    ports = [(port.get("name"), port["port"], port["targetPort"]) for port in spec["ports"]]
    assert ports in ([("http", 8080, "http")], [("http", 8080, 8080)]), f"the Service has the ports {ports}"
    answer = cluster.fetch("stock", "/stock/3", port=8080)
    assert answer.status == 200, f"stock answers {answer.status}: {answer.text[:200]}"


def check_cart_is_probed_as_before(cluster):
    """There is a probe, and it asks for what tells that it is ready."""
    [container] = cluster.get("Deployment", "cart")["spec"]["template"]["spec"]["containers"]
    probe = container.get("readinessProbe", {}).get("httpGet")
    assert probe, "cart has no readiness probe by HTTP"
    assert probe["path"] == "/ready", f"the probe asks for {probe['path']}"
    assert probe["port"] in ("http", 8080), f"the probe asks on port {probe['port']}"


def check_cart_is_available(cluster):
    """One replica, as all of them."""
    replicas = cluster.get("Deployment", "cart")["spec"]["replicas"]
    assert replicas == 1, f"cart wants {replicas} replicas"
    cluster.assert_rolled_out("cart")


def check_nothing_else_changed(cluster):
    """Only the Service that was gone, and the probe."""
    changed = cluster.find_changes(
        "shop/Service/stock: made",
        "shop/Deployment/cart: spec.template.spec.containers[cart].readinessProbe.httpGet.*",
    )
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_customers_can_buy(cluster):
    """They fill their carts, and orders come in."""
    for action in ("cart", "checkout"):
        query = f'sum(rate(shop_actions_total{{action="{action}",result="success"}}[10s]))'
        [(_, rate)] = cluster.alerts.query(query)
        assert rate > 0, f"nobody succeeds with the action {action}"
