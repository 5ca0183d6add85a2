# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Four namespaces violate the requirement, each in a way of its own; the two others come close."""

import json

NAMES = {
    "north": ("wall", "web"),
    "south": ("wall", "web"),
    "east": ("wall", "web", "store"),
    "west": ("wall", "web"),
    "coast": ("wall", "web"),
    "inland": ("wall", "web"),
}
"""The network policies of each namespace."""


def condemned(candidate, cluster, namespace):
    assert candidate.judge(cluster.collected(namespace)) is False, "it violates the requirement; the policy acquits it"


def acquitted(candidate, cluster, namespace):
    assert candidate.judge(cluster.collected(namespace)) is True, "it meets the requirement; the policy condemns it"


def check_every_network_policy_is_collected(cluster):
    for namespace, names in NAMES.items():
        text = json.dumps(cluster.collected(namespace))
        missing = [name for name in names if f'"{name}"' not in text]
        assert not missing, f"what was collected in {namespace} does not name {', '.join(missing)}"


def check_north_is_condemned(candidate, cluster):
    condemned(candidate, cluster, "north")


def check_south_is_acquitted(candidate, cluster):
    acquitted(candidate, cluster, "south")


def check_east_is_condemned(candidate, cluster):
    condemned(candidate, cluster, "east")


def check_west_is_acquitted(candidate, cluster):
    acquitted(candidate, cluster, "west")


def check_coast_is_condemned(candidate, cluster):
    condemned(candidate, cluster, "coast")


def check_inland_is_condemned(candidate, cluster):
    condemned(candidate, cluster, "inland")


def check_nothing_collected_is_not_acquitted(candidate):
    assert candidate.judge({}) is False, "the policy acquits a namespace of which nothing is known"


def check_nothing_is_changed(candidate, cluster):
    assert candidate.parts  # before the script is run nothing is changed, of course
    assert not cluster.find_changes(), f"changed: {', '.join(cluster.find_changes())}"
