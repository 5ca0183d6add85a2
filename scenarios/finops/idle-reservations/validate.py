# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The requests follow the rule, the bill is near the best, and the shop works on."""

import csv
import io
import math
import re

CPU_HOUR, GIB_HOUR, HOURS = 0.05, 0.006, 730
GOOD_ENOUGH = 0.95
ROUNDING = 1e-6
UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
MIB = 2**20


def read_usage(cluster):
    """The samples of each deployment, millicores and MiB, without hours in which nothing was measured."""
    text = cluster.get("ConfigMap", "usage", "monitor")["data"]["usage.csv"]
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["cpu_millicores"]:
            found.setdefault(row["deployment"], []).append((int(row["cpu_millicores"]), int(row["memory_mib"])))
    return found


def find_right_size(samples):
    """Processors and bytes: 120 % of the 95th percentile and 125 % of the largest value, in steps of 5m and 8Mi."""
    cpu = sorted(each for each, _ in samples)[math.ceil(len(samples) * 95 / 100) - 1]
    memory = max(each for _, each in samples)
    return math.ceil(cpu * 120 / 100 / 5) * 5 / 1000, math.ceil(memory * 125 / 100 / 8) * 8 * MIB


def find_right_sizes(cluster):
    return {name: find_right_size(samples) for name, samples in read_usage(cluster).items()}


def read_size(deployment):
    """What one replica asks for."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    requests = [each.get("resources", {}).get("requests", {}) for each in containers]
    cpu, memory = (sum(parse(each.get(name, "0")) for each in requests) for name in ("cpu", "memory"))
    return cpu, memory


def parse(quantity):
    match = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", quantity)
    assert match, f"{quantity!r} is no quantity"
    assert match[2] in UNITS, f"{quantity!r} is no quantity that this check reads"
    return float(match[1]) * UNITS[match[2]]


def find_cost(size, replicas=1):
    """Dollars in a month."""
    cpu, memory = size
    return replicas * HOURS * (cpu * CPU_HOUR + memory / 2**30 * GIB_HOUR)


def say(size):
    return f"{size[0] * 1000:g}m and {size[1] / MIB:g}Mi"


def check_no_service_asks_for_too_little(cluster):
    """Each gets what its week asks for."""
    starved = []
    for name, right in find_right_sizes(cluster).items():
        size = read_size(cluster.get("Deployment", name))
        if any(has < needs - ROUNDING for has, needs in zip(size, right, strict=True)):
            starved.append(f"{name} has {say(size)}, needs {say(right)}")
    assert not starved, "; ".join(starved)


def check_bill_is_near_the_best(cluster, score):
    """What all requests cost in a month, held against what the right ones cost."""
    sizes = find_right_sizes(cluster)
    best = sum(find_cost(size) for size in sizes.values())
    deployments = cluster.find_all("Deployment")
    cost = sum(find_cost(read_size(each), each["spec"]["replicas"]) for each in deployments)
    nearness = min(1.0, max(0.0, 1 - abs(cost - best) / best))
    score(nearness)
    assert nearness >= GOOD_ENOUGH, f"the month costs {cost:.2f} $ instead of {best:.2f} $: a score of {nearness:.3f}"


def check_nothing_else_changed(cluster):
    """Only requests: no limits, no replicas, no usage data."""
    allowed = "shop/Deployment/*: spec.template.spec.containers[*].resources.requests*"
    changed = cluster.find_changes(allowed)
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_new_requests_are_in_force(cluster):
    """The pods that run are of the latest form, one of each."""
    for each in cluster.find_all("Deployment"):
        name, replicas = each["metadata"]["name"], each["spec"]["replicas"]
        assert replicas == 1, f"{name} wants {replicas} replicas"
        cluster.assert_rolled_out(name)


def check_customers_can_buy(cluster):
    """Orders come in."""
    [(_, rate)] = cluster.alerts.query('sum(rate(shop_actions_total{action="checkout",result="success"}[10s]))')
    assert rate > 0, "nobody buys anything"
