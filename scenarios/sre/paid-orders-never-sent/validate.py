# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The worker does what waited for it, and still waits for its queue."""

import re

PROGRAM = ["python3", "-m", "shop"]
HELD = "SELECT count(*) FROM orders JOIN shipments ON order_id = id WHERE id LIKE 'ord-held-%'"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_worker_waits_for_the_queue(cluster):
    """Before it begins, and for the one that there is."""
    containers = cluster.get("Deployment", "worker")["spec"]["template"]["spec"].get("initContainers", [])
    assert [each["name"] for each in containers] == ["wait-for-queue"], "worker has no init container wait-for-queue"
    started = (containers[0].get("command") or PROGRAM) + (containers[0].get("args") or [])
    assert started[:-1] == [*PROGRAM, "wait-for"], f"wait-for-queue is started by {started}"
    assert re.fullmatch(r"queue(\.[a-z0-9.-]+)?:6379", started[-1]), f"it waits for {started[-1]}"


def check_worker_is_ready(cluster):
    """With one replica."""
    replicas = cluster.get("Deployment", "worker")["spec"]["replicas"]
    assert replicas == 1, f"worker wants {replicas} replicas"
    cluster.assert_rolled_out("worker")


def check_no_order_is_lost(cluster):
    """Three that waited in the queue are recorded and sent."""
    status, output = cluster.run("database", "psql", "--tuples-only", "--no-align", f"--command={HELD}")
    assert status == 0, f"the database cannot be asked: {output[-300:]}"
    assert int(output) == 3, f"of three orders that waited, {int(output)} were recorded and sent"


def check_nothing_else_changed(cluster):
    """Only what the init container is given."""
    within = "shop/Deployment/worker: spec.template.spec.initContainers[wait-for-queue]"
    changed = cluster.find_changes(f"{within}.command", f"{within}.args")
    assert not changed, f"also changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"


def check_orders_are_worked_off(cluster):
    """Those of now, too."""
    found = cluster.alerts.query('sum(rate(worker_jobs_total{result="done"}[10s]))')
    assert sum(rate for _, rate in found) > 0, "the worker does nothing"
