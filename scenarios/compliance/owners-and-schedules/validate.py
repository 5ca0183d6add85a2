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


def check_existing_rules_are_kept(candidate):
    after = {rule["name"]: rule for rule in candidate.documents[0]["spec"]["rules"]}
    for rule in BEFORE["spec"]["rules"]:
        assert after.get(rule["name"]) == rule, f"rule {rule['name']} was changed"


def check_piling_cron_job_is_condemned(candidate):
    condemned(candidate, "piling")


def check_careful_cron_job_is_acquitted(candidate):
    acquitted(candidate, "careful")


def check_silent_cron_job_is_condemned(candidate):
    condemned(candidate, "silent")


def check_cron_job_without_deadline_is_condemned(candidate):
    condemned(candidate, "no-deadline")


def check_cron_job_with_a_late_deadline_is_condemned(candidate):
    condemned(candidate, "late")


def check_replacing_cron_job_is_acquitted(candidate):
    acquitted(candidate, "replacing")


def check_cron_job_of_the_sandbox_is_acquitted(candidate):
    acquitted(candidate, "sandbox-cron")


def check_pod_without_owner_is_still_condemned(candidate):
    condemned(candidate, "no-owner")


def check_pod_without_limit_is_still_condemned(candidate):
    condemned(candidate, "no-limit")


def check_tidy_pod_is_still_acquitted(candidate):
    acquitted(candidate, "tidy")


def check_pod_of_the_sandbox_is_still_acquitted(candidate):
    acquitted(candidate, "sandbox-pod")


def check_deployment_is_still_acquitted(candidate):
    acquitted(candidate, "deployment")
