# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The nodes take pods again, and the shop is as it was."""


def check_cart_is_available(cluster):
    """One replica, as all of them."""
    replicas = cluster.get("Deployment", "cart")["spec"]["replicas"]
    assert replicas == 1, f"cart wants {replicas} replicas"
    cluster.assert_rolled_out("cart")


def check_nodes_take_pods(cluster):
    """All of them, of anybody."""
    closed = [each["metadata"]["name"] for each in cluster.find_all_of_cluster("Node") if is_closed(each)]
    assert not closed, f"these take no pods: {', '.join(closed)}"


def is_closed(node):
    """Whether it is cordoned, or has the taint that comes with it."""
    taints = [each["key"] for each in node["spec"].get("taints", ())]
    return bool(node["spec"].get("unschedulable")) or "node.kubernetes.io/unschedulable" in taints


def check_nodes_are_otherwise_as_they_were(cluster):
    """Nothing else of them differs from before the maintenance, nor of what belongs to the whole cluster."""
    changed = cluster.find_changes_of_cluster()
    assert not changed, f"changed: {', '.join(changed)}"


def check_nothing_in_the_shop_changed(cluster):
    """Nothing there had a part in it."""
    changed = cluster.find_changes()
    assert not changed, f"changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_customers_fill_their_carts(cluster):
    """They put things into them again."""
    [(_, rate)] = cluster.alerts.query('sum(rate(shop_actions_total{action="cart",result="success"}[10s]))')
    assert rate > 0, "nobody fills a cart"
