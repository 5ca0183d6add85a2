"""How a playbook is taken from a reply."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_itbench.domain.candidate import Reply
from pytest_itbench.solvers.extraction import SIZE_LIMIT, NoCandidate, take_playbook

PLAY = "- name: Do it\n  hosts: all\n  tasks:\n    - debug:\n"


@pytest.mark.parametrize(
    ("reply", "taken"),
    [
        (f"Sure.\n\n```yaml\n{PLAY}```\nDone.", "fenced block 1 of 1"),
        (f"```\n{PLAY}```", "fenced block 1 of 1"),
        (f"~~~yml\n{PLAY}~~~", "fenced block 1 of 1"),
        (f"````yaml\n{PLAY}````", "fenced block 1 of 1"),
        (f"```sh\nls\n```\n```yaml\n{PLAY}```\n```ini\n[x]\n```", "fenced block 2 of 3"),
        (f"```yaml\n{PLAY}```\nAgain:\n```yaml\n{PLAY}\n```", "fenced block 2 of 2"),
        (f"```yaml\n{PLAY}", "fenced block 1 of 1, never closed"),
        (f"<think>```yaml\n- hosts: no\n```</think>```yaml\n{PLAY}```", "fenced block 1 of 1"),
        (f"```YAML\r\n{PLAY}```".replace("\n", "\r\n").replace("\r\r", "\r"), "fenced block 1 of 1"),
        (
            "1. Run:\n   ```yaml\n" + "".join(f"   {line}\n" for line in PLAY.splitlines()) + "   ```",
            "fenced block 1 of 1",
        ),
        (PLAY, "bare YAML from line 1"),
        (f"Here you are:\n\n{PLAY}\nThis does it.", "bare YAML from line 3"),
    ],
)
def test_the_playbook_is_taken(reply: str, taken: str) -> None:
    """Prose, other blocks, indentation and missing ends do not matter; what was taken is recorded."""
    candidate = take_playbook(Reply(text=reply))
    assert candidate.text.strip() == PLAY.strip()
    assert candidate.taken == taken


def test_a_document_start_is_kept() -> None:
    """Bare YAML may begin with three dashes."""
    assert take_playbook(Reply(text=f"---\n{PLAY}")).text == f"---\n{PLAY}"


def test_tasks_without_a_play_are_a_candidate() -> None:
    """What cannot work is applied all the same, so that it fails for its own reason."""
    assert take_playbook(Reply(text="```yaml\n- debug:\n```")).text == "- debug:\n"


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        ("", "empty reply", "the reply is empty"),
        ("<think>```yaml\n- hosts: all\n```", "empty reply", "thoughts only"),
        ("I cannot help with that.", "refusal", "the model refuses: I cannot help"),
        ("I'm sorry, but I won't write this.", "refusal", "refuses"),
        ("What are the addresses?", "no candidate", "holds no playbook"),
        ("```sh\nansible all -m ping\n```", "wrong language", "the reply holds sh, and no playbook"),
        ("- first point\n- second point", "no candidate", "holds no playbook"),
        (f"```yaml\n- hosts: a\n```\nor\n```yaml\n{PLAY}```", "several playbooks", "holds 2 different playbooks"),
        (f"```yaml\n- hosts: all\n{'#' * SIZE_LIMIT}\n```", "no candidate", "too large"),
    ],
)
def test_no_candidate_has_a_reason(reply: str, kind: str, said: str) -> None:
    """The reason is what the report shows, and counts as a failure kind of its own."""
    with pytest.raises(NoCandidate, match=said) as caught:
        take_playbook(Reply(text=reply))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "reply",
    [f"Here:\n```yaml\n{PLAY}", PLAY, "First of all, let us think", "<think>hm", "```yaml\n- hosts: all\n```\n```"],
)
def test_a_reply_cut_off_by_its_length_is_told(reply: str) -> None:
    """Half a playbook is not applied: that the reply was too short is what has to be known."""
    with pytest.raises(NoCandidate) as caught:
        take_playbook(Reply(text=reply, finish="length"))
    assert caught.value.kind == "cut off"


def test_prose_may_be_cut_off() -> None:
    """What was said after a whole playbook does not matter."""
    assert take_playbook(Reply(text=f"```yaml\n{PLAY}```\nThis play", finish="length")).text == PLAY


@given(st.text(alphabet="`~- ahosts:\n\t#<think>/", max_size=200))
def test_any_text_gives_a_candidate_or_a_reason(reply: str) -> None:
    """No reply makes the harness fail."""
    with suppress(NoCandidate):
        assert take_playbook(Reply(text=reply)).text.strip()
