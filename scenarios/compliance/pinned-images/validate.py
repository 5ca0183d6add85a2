# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Each Pod or workload differs from an acquitted one in a single respect."""

from pathlib import Path

RESOURCES = Path(__file__).parent / "resources"


def condemned(candidate, name):
    verdict = candidate.apply_kyverno(RESOURCES / f"{name}.yaml")
    assert verdict == "fail", f"{name}.yaml violates the requirement; the policy says {verdict}"


def acquitted(candidate, name):
    verdict = candidate.apply_kyverno(RESOURCES / f"{name}.yaml")
    assert verdict in ("pass", "skip"), f"{name}.yaml meets the requirement; the policy says {verdict}"


def check_foreign_image_is_condemned(candidate):
    condemned(candidate, "foreign")


def check_pinned_pod_is_acquitted(candidate):
    acquitted(candidate, "pinned")


def check_tag_instead_of_digest_is_condemned(candidate):
    condemned(candidate, "tagged")


def check_lookalike_registry_is_condemned(candidate):
    condemned(candidate, "lookalike")


def check_registry_within_a_path_is_condemned(candidate):
    condemned(candidate, "lookalike-path")


def check_unpinned_second_container_is_condemned(candidate):
    condemned(candidate, "second-container")


def check_unpinned_init_container_is_condemned(candidate):
    condemned(candidate, "init-container")


def check_foreign_ephemeral_container_is_condemned(candidate):
    condemned(candidate, "ephemeral-container")


def check_unpinned_ephemeral_container_is_condemned(candidate):
    condemned(candidate, "ephemeral-tagged")


def check_workload_with_foreign_image_is_condemned(candidate):
    condemned(candidate, "deployment-foreign")


def check_tag_and_digest_together_are_acquitted(candidate):
    acquitted(candidate, "tag-and-digest")


def check_pinned_workload_is_acquitted(candidate):
    acquitted(candidate, "deployment-pinned")


def check_other_kinds_are_acquitted(candidate):
    acquitted(candidate, "config-map")
