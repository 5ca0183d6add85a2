# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What the answer says, held against what `make_table.py` knows."""

import json
from pathlib import Path

TRUTH = json.loads((Path(__file__).parent / "truth.json").read_text())
NEAR_ENOUGH = 0.9


def pairs(resources):
    return {(resource["name"], resource["type"].lower()) for resource in resources}


CULPRITS = pairs(TRUTH["resources"])


def check_answer_has_its_form(candidate):
    answer = candidate.answer
    assert isinstance(answer, dict), f"a JSON object is wanted, not {answer!r}"
    assert {"resources", "excess"} <= set(answer), f"resources and excess are wanted; there is {sorted(answer)}"


def check_every_culprit_is_named(candidate):
    named = pairs(candidate.answer["resources"])
    assert named >= CULPRITS, f"not all that break the rule are among {sorted(named)}"


def check_nothing_else_is_blamed(candidate):
    named = pairs(candidate.answer["resources"])
    assert named, "nothing is blamed at all"
    assert named <= CULPRITS, f"blamed without reason: {sorted(named - CULPRITS)}"


def check_excess_is_right(candidate, score):
    excess = candidate.answer["excess"]
    assert isinstance(excess, int | float), f"the excess is {excess!r}, and no number"
    nearness = min(1.0, max(0.0, 1 - abs(excess - TRUTH["excess"]) / TRUTH["excess"]))
    score(nearness)
    assert nearness >= NEAR_ENOUGH, f"the excess is off by {1 - nearness:.0%} or more; at most 10 % is right"
