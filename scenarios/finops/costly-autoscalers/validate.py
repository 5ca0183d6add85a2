# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The autoscalers spend what they must, nobody is overloaded, and the alert knows the budget."""

import csv
import io
import math
import re
import time
from urllib.parse import quote

from pytest_itbench import read_yaml

# Dollars for a replica in an hour, the highest utilisation in percent, the fewest replicas.
AGREED = {"search": (0.046, 70, 2), "images": (0.062, 60, 2), "reviews": (0.028, 80, 1), "sitemap": (0.019, 75, 1)}
REQUEST = 20  # millicores of each replica
OLD = {"search": (3, 30, 20), "images": (1, 4, 95), "reviews": (2, 30, 15), "sitemap": (1, 3, 75)}
BUDGET_CENTS = 405 * 100 / 30
GOOD_ENOUGH = 0.95
METRIC = r"\bautoscaled_cost_cents\b(\s*\{[^{}]*\})?"
RULE = {
    "alert": "BudgetExceeded",
    "for": "30m",
    "labels": {"severity": "warning", "team": "finance"},
    "annotations": {"summary": "The autoscaled services cost more than was granted"},
}
AUTOSCALER = "shop/HorizontalPodAutoscaler/{}: spec.{}*"
FIELDS = ("minReplicas", "maxReplicas", "targetCPUUtilizationPercentage", "metrics")


def read_demand(cluster):
    """Millicores in each hour."""
    rows = list(csv.DictReader(io.StringIO(cluster.get("ConfigMap", "demand", "monitor")["data"]["demand.csv"])))
    return {name: [int(row[name]) for row in rows] for name in AGREED}


def read_autoscaler(cluster, name):
    """Its least and most replicas, and its target in percent, whichever version the cluster prefers."""
    spec = cluster.get("HorizontalPodAutoscaler", name)["spec"]
    target = spec.get("targetCPUUtilizationPercentage")
    for metric in spec.get("metrics") or ():
        target = metric.get("resource", {}).get("target", {}).get("averageUtilization", target)
    assert target, f"the autoscaler of {name} has no target"
    return spec.get("minReplicas") or 1, spec["maxReplicas"], target


def project(demand, least, most, target):
    """The replicas in each hour."""
    return [min(most, max(least, math.ceil(each * 100 / (target * REQUEST)))) for each in demand]


def find_need(demand, utilisation):
    """The replicas without which the busiest hour is one too many."""
    return math.ceil(max(demand) * 100 / (utilisation * REQUEST))


def find_cost(demand, autoscalers):
    """Dollars in a day."""
    return sum(AGREED[name][0] * sum(project(demand[name], *autoscalers[name])) for name in AGREED)


def find_all_autoscalers(cluster):
    return {name: read_autoscaler(cluster, name) for name in AGREED}


def check_nobody_is_overloaded(cluster):
    """In no hour does a replica get more than agreed, and no target promises it."""
    for name, demand in read_demand(cluster).items():
        _, most, target = read_autoscaler(cluster, name)
        utilisation = AGREED[name][1]
        assert target <= utilisation, f"{name} has a target of {target} %, above {utilisation} %"
        need = find_need(demand, utilisation)
        assert most >= need, f"{name} may have {most} replicas, and needs {need} in its busiest hour"


def check_ceilings_hold_runaways(cluster):
    """At most twice what the busiest hour needs."""
    for name, demand in read_demand(cluster).items():
        most, need = read_autoscaler(cluster, name)[1], find_need(demand, AGREED[name][1])
        assert most <= 2 * need, f"{name} may grow to {most} replicas, and needs {need} at most"


def check_cost_is_near_the_best(cluster, score):
    """A day's cost, held against what it costs by the agreement."""
    demand = read_demand(cluster)
    agreed = {name: (least, find_need(demand[name], bears), bears) for name, (_, bears, least) in AGREED.items()}
    best, cost = find_cost(demand, agreed), find_cost(demand, find_all_autoscalers(cluster))
    nearness = min(1.0, max(0.0, 1 - abs(cost - best) / best))
    score(nearness)
    assert nearness >= GOOD_ENOUGH, f"the day costs {cost:.2f} $ instead of {best:.2f} $: a score of {nearness:.3f}"


def check_budget_alert_is_right(cluster):
    """Prometheus itself says for which costs it fires; nothing but its expression is another one."""
    try:
        [file] = read_yaml(cluster.get("ConfigMap", "budget")["data"]["rules.yml"], "rules.yml")
        [group] = file["groups"]
        [rule] = group["rules"]
        expression = str(rule["expr"])
        rest = {name: value for name, value in rule.items() if name != "expr"}
        frame = {name: value for name, value in group.items() if name != "rules"}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AssertionError(f"the rule file does not hold exactly one rule: {error!r}") from None
    assert rest == RULE, f"the rule is another one: {rest}"
    assert frame == {"name": "budget"}, f"its group is another one: {frame}"
    assert re.search(METRIC, expression), f"the rule does not look at the cost: {expression}"
    demand = read_demand(cluster)
    old, new = (100 * find_cost(demand, each) for each in (OLD, find_all_autoscalers(cluster)))
    for cents, wanted in (
        (old, True),
        (1.01 * BUDGET_CENTS, True),
        (100 * BUDGET_CENTS, True),
        (0.99 * BUDGET_CENTS, False),
        (new, False),
        (0, False),
    ):
        fires = is_true(cluster, re.sub(METRIC, f"vector({cents})", expression))
        assert fires == wanted, f"at {cents:.0f} cents a day it {'fires' if fires else 'is silent'}: {expression}"


def is_true(cluster, expression):
    """Whether an alert with such an expression would fire."""
    answer = cluster.fetch("prometheus", f"/api/v1/query?query={quote(expression, safe='')}", 9090, "monitor")
    assert answer.status == 200, f"Prometheus does not understand the expression: {expression}"
    return bool(answer.json["data"]["result"])


def check_nothing_else_changed(cluster):
    """Only what autoscalers want, what they made of it, and the rule; the autoscaler of sitemap was right."""
    replicas = [f"shop/Deployment/{name}: spec.replicas" for name in AGREED]
    fields = [AUTOSCALER.format(name, field) for name in AGREED if name != "sitemap" for field in FIELDS]
    changed = cluster.find_changes("shop/ConfigMap/budget: data.rules.yml", *replicas, *fields)
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_replicas_are_there(cluster):
    """As many as agreed at least are ready; a cluster looks at its autoscalers every 15 s."""
    for name, (_, _, least) in AGREED.items():
        has = read_autoscaler(cluster, name)[0]
        assert has >= least, f"{name} may go down to {has} replicas, and {least} are agreed"
    deadline = time.monotonic() + 45
    while missing := find_missing(cluster):
        assert time.monotonic() < deadline, f"too few replicas are ready: {missing}"
        time.sleep(1)


def find_missing(cluster):
    ready = {name: cluster.get("Deployment", name).get("status", {}).get("availableReplicas", 0) for name in AGREED}
    return {name: number for name, number in ready.items() if number < AGREED[name][2]}


def check_customers_can_buy(cluster):
    """Orders come in."""
    [(_, rate)] = cluster.alerts.query('sum(rate(shop_actions_total{action="checkout",result="success"}[10s]))')
    assert rate > 0, "nobody buys anything"
