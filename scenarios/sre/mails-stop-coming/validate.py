# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What cannot be read is set aside, and everything else is done, once."""

import json
import time
from itertools import pairwise

PATIENCE = 15.0
OLD = "SELECT count(*) FROM orders WHERE id LIKE 'seed-%' OR id LIKE 'ord-kept-%'"
SHIPPED = "SELECT count(*) FROM orders o JOIN shipments s ON s.order_id = o.id WHERE o.id LIKE 'ord-%'"
MAILS = 'http_requests_total{service="mail",code="200"}'
BAD = [
    {"job": '{"id": "imp-0001", "customer": "partner-7", "items": {"4": 2}, "total_', "source": "import"},
    {"job": "id=imp-0002;customer=partner-7;items=4x1,9x2", "source": "import"},
]


def read_stream(cluster, name):
    """The fields of all messages of a stream."""
    status, output = cluster.run("queue", "redis-cli", "--json", "xrange", name, "-", "+")
    assert status == 0, f"the queue does not answer: {output[-200:]}"
    return [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in json.loads(output)]


def ask_database(cluster, query):
    """The one number that a query gives."""
    status, output = cluster.run("database", "psql", "-tA", "-c", query)
    assert status == 0, f"the database does not answer: {output[-200:]}"
    return int(output)


def count_over_restarts(cluster, counter):
    """What a counter has counted in all; it begins anew with its pod, so that what it fell from counts, too."""
    total = 0.0
    for series in cluster.alerts.ask("/api/v1/query", query=f"{counter}[1h]")["result"]:
        values = [float(value) for _, value in series["values"]]
        total += sum(value for value, later in pairwise([*values, 0.0]) if later < value)
    return total


def check_queue_has_no_bad_message(cluster):
    """None of the import's messages waits for the worker."""
    left = [each["job"] for each in read_stream(cluster, "jobs") if each in BAD]
    assert not left, f"still in jobs: {left}"


def check_alerts_stay_silent(cluster):
    """For ten seconds in a row."""
    cluster.assert_quiet(10, within=60)


def check_no_order_is_lost(cluster):
    """The database still has the old ones; what checkout took is there and shipped, or gets there soon."""
    old = ask_database(cluster, OLD)
    assert old == 26, f"of 26 old orders there are {old}"
    deadline = time.monotonic() + PATIENCE
    while (taken := count_over_restarts(cluster, "checkout_orders_total")) > (kept := ask_database(cluster, SHIPPED)):
        assert time.monotonic() < deadline, f"{taken:g} orders were taken, {kept} are recorded and shipped"
        time.sleep(1)


def check_bad_messages_are_kept(cluster):
    """Each once, in the stream for what cannot be done, with all of its fields."""
    found = sorted(read_stream(cluster, "jobs-dead"), key=lambda each: BAD.index(each) if each in BAD else len(BAD))
    assert found == BAD, f"in jobs-dead is {found}"


def check_no_job_is_done_twice(cluster):
    """There are no more mails than orders, but for one that a worker may have sent while it was stopped."""
    sent, orders = count_over_restarts(cluster, MAILS), ask_database(cluster, SHIPPED)
    assert sent <= orders + 1, f"{sent:g} mails were sent for {orders} orders"


def check_nothing_else_changed(cluster):
    """No object of the cluster had a part in this."""
    changed = cluster.find_changes()
    assert not changed, f"changed: {', '.join(changed)}"


def check_rights_are_as_they_were(cluster):
    """Nobody got more rights."""
    widened = cluster.find_widened_rights()
    assert not widened, f"rights changed: {', '.join(widened)}"
