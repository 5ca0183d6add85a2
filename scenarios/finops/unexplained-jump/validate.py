# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What the answer says, held against what `make_table.py` knows."""

import json
from pathlib import Path

TRUTH = json.loads((Path(__file__).parent / "truth.json").read_text())
NEAR_ENOUGH = 0.95


def named(candidate):
    return {(resource["name"], resource["type"]) for resource in candidate.answer["resources"]}


def check_day_is_found(candidate):
    assert candidate.answer["date"] == TRUTH["date"]


def check_account_is_found(candidate):
    assert str(candidate.answer["account"]) == TRUTH["account"]


def check_cause_is_named(candidate):
    wanted = {(resource["name"], resource["type"]) for resource in TRUTH["resources"]}
    assert wanted <= named(candidate), f"the cause is not among {sorted(named(candidate))}"


def check_nothing_else_is_blamed(candidate):
    wanted = {(resource["name"], resource["type"]) for resource in TRUTH["resources"]}
    assert named(candidate), "nothing is blamed at all"
    assert named(candidate) <= wanted, f"blamed without reason: {sorted(named(candidate) - wanted)}"


def check_excess_is_right(candidate, score):
    excess = candidate.answer["excess"]
    assert isinstance(excess, int | float), f"the excess is {excess!r}, and no number"
    nearness = min(1.0, max(0.0, 1 - abs(excess - TRUTH["excess"]) / TRUTH["excess"]))
    score(nearness)
    assert nearness >= NEAR_ENOUGH, f"the excess is off by {1 - nearness:.0%} or more; at most 5 % is right"
