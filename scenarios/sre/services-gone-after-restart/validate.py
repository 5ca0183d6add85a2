# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""All services run within a quota that is as large as they need, and not larger."""

import re

SIZES = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "m": 1e-3}
RESERVE = 64 * 2**20


def check_services_are_ready(cluster):
    """Each with one replica."""
    for each in cluster.find_all("Deployment"):
        name, replicas = each["metadata"]["name"], each["spec"]["replicas"]
        assert replicas == 1, f"{name} wants {replicas} replicas"
        cluster.assert_rolled_out(name)


def check_quota_bounds_the_team(cluster):
    """By what its Deployments need, and a small reserve."""
    quota = cluster.find("ResourceQuota", "team-quota")
    assert quota, "there is no ResourceQuota team-quota"
    hard = quota["spec"]["hard"]
    assert hard.get("pods") == "20", f"team-quota allows {hard.get('pods', 'any number of')} pods"
    assert "limits.memory" in hard, "team-quota no longer bounds the memory limits"
    needed = sum(_need(each) for each in cluster.find_all("Deployment"))
    allowed = _bytes(hard["limits.memory"])
    assert needed <= allowed <= needed + RESERVE, f"team-quota allows {allowed:.0f} bytes where {needed:.0f} are needed"


def check_nothing_else_changed(cluster):
    """Only the memory that the quota leaves to all pods."""
    changed = cluster.find_changes("shop/ResourceQuota/team-quota: spec.hard.limits.memory")
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


def _need(deployment):
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return deployment["spec"]["replicas"] * sum(_bytes(each["resources"]["limits"]["memory"]) for each in containers)


def _bytes(text):
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text).groups()
    return float(number) * SIZES[unit]
