# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What the policy said before it must still say; each resource differs from an acquitted one in a single respect."""

from pathlib import Path

from pytest_itbench import read_yaml

HERE = Path(__file__).parent
RESOURCES = HERE / "resources"
BEFORE = read_yaml((HERE / "environment" / "policy.yaml").read_text())[0]


def condemned(candidate, name):
    verdict = candidate.apply_kyverno(RESOURCES / f"{name}.yaml")
    assert verdict == "fail", f"{name}.yaml violates the requirement; the policy says {verdict}"


def acquitted(candidate, name):
    verdict = candidate.apply_kyverno(RESOURCES / f"{name}.yaml")
    assert verdict in ("pass", "skip"), f"{name}.yaml meets the requirement; the policy says {verdict}"


def check_name_and_annotations_are_kept(candidate):
    policies = candidate.documents
    assert len(policies) == 1, f"one policy is wanted, {len(policies)} were handed in"
    after = policies[0]
    assert after["kind"] == BEFORE["kind"]
    assert after["metadata"]["name"] == BEFORE["metadata"]["name"], f"the policy is now {after['metadata']['name']}"
    kept = after["metadata"].get("annotations") or {}
    assert BEFORE["metadata"]["annotations"].items() <= kept.items(), f"annotations are now {kept}"


def check_other_rule_is_kept(candidate):
    after = {rule["name"]: rule for rule in candidate.documents[0]["spec"]["rules"]}
    for rule in BEFORE["spec"]["rules"][:1]:
        assert after.get(rule["name"]) == rule, f"rule {rule['name']} was changed"


def check_collector_of_logs_is_acquitted(candidate):
    acquitted(candidate, "collector")


def check_collector_below_the_directory_is_acquitted(candidate):
    acquitted(candidate, "collector-below")


def check_collector_that_mounts_more_is_condemned(candidate):
    condemned(candidate, "collector-more")


def check_lookalike_directory_is_condemned(candidate):
    condemned(candidate, "lookalike")


def check_collector_of_another_namespace_is_condemned(candidate):
    condemned(candidate, "other-namespace")


def check_other_pod_of_the_namespace_is_condemned(candidate):
    condemned(candidate, "other-role")


def check_mounting_pod_is_still_condemned(candidate):
    condemned(candidate, "host-path")


def check_collector_on_the_host_network_is_still_condemned(candidate):
    condemned(candidate, "host-network")


def check_modest_pod_is_still_acquitted(candidate):
    acquitted(candidate, "modest")


def check_workload_is_still_acquitted(candidate):
    acquitted(candidate, "daemon-set")
