# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Each Service differs from an acquitted one in a single respect."""

from pathlib import Path

RESOURCES = Path(__file__).parent / "resources"


def condemned(candidate, name):
    verdict = candidate.apply_kyverno(RESOURCES / f"{name}.yaml")
    assert verdict == "fail", f"{name}.yaml violates the requirement; the policy says {verdict}"


def acquitted(candidate, name):
    verdict = candidate.apply_kyverno(RESOURCES / f"{name}.yaml")
    assert verdict in ("pass", "skip"), f"{name}.yaml meets the requirement; the policy says {verdict}"


def check_open_load_balancer_is_condemned(candidate):
    condemned(candidate, "open")


def check_closed_load_balancer_is_acquitted(candidate):
    acquitted(candidate, "closed")


def check_public_scope_is_condemned(candidate):
    condemned(candidate, "public-scope")


def check_missing_annotation_is_condemned(candidate):
    condemned(candidate, "no-annotation")


def check_other_annotation_is_condemned(candidate):
    condemned(candidate, "other-annotation")


def check_missing_ranges_are_condemned(candidate):
    condemned(candidate, "no-ranges")


def check_empty_ranges_are_condemned(candidate):
    condemned(candidate, "empty-ranges")


def check_everybody_as_second_range_is_condemned(candidate):
    condemned(candidate, "everybody-second")


def check_everybody_by_ipv6_is_condemned(candidate):
    condemned(candidate, "everybody-ipv6")


def check_node_port_is_condemned(candidate):
    condemned(candidate, "node-port")


def check_several_narrow_ranges_are_acquitted(candidate):
    acquitted(candidate, "several-ranges")


def check_cluster_service_is_acquitted(candidate):
    acquitted(candidate, "cluster")


def check_service_without_type_is_acquitted(candidate):
    acquitted(candidate, "no-type")


def check_other_kinds_are_acquitted(candidate):
    acquitted(candidate, "ingress")
