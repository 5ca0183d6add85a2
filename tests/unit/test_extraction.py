"""How a candidate is taken from a reply."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_itbench.domain.candidate import Reply
from pytest_itbench.domain.parts import join_parts, split_parts
from pytest_itbench.domain.scenario import PARTS, CandidateKind
from pytest_itbench.solvers.extraction import SIZE_LIMIT, NoCandidate, take_candidate

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
    candidate = take_candidate(Reply(text=reply), CandidateKind.PLAYBOOK)
    assert candidate.text.strip() == PLAY.strip()
    assert candidate.taken == taken


def test_a_document_start_is_kept() -> None:
    """Bare YAML may begin with three dashes."""
    assert take_candidate(Reply(text=f"---\n{PLAY}"), CandidateKind.PLAYBOOK).text == f"---\n{PLAY}"


def test_tasks_without_a_play_are_a_candidate() -> None:
    """What cannot work is applied all the same, so that it fails for its own reason."""
    assert take_candidate(Reply(text="```yaml\n- debug:\n```"), CandidateKind.PLAYBOOK).text == "- debug:\n"


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
        (f"```yaml\n- hosts: a\n```\nor\n```yaml\n{PLAY}```", "several candidates", "holds 2 different playbooks"),
        (f"```yaml\n- hosts: all\n{'#' * SIZE_LIMIT}\n```", "no candidate", "too large"),
    ],
)
def test_no_candidate_has_a_reason(reply: str, kind: str, said: str) -> None:
    """The reason is what the report shows, and counts as a failure kind of its own."""
    with pytest.raises(NoCandidate, match=said) as caught:
        take_candidate(Reply(text=reply), CandidateKind.PLAYBOOK)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "reply",
    [f"Here:\n```yaml\n{PLAY}", PLAY, "First of all, let us think", "<think>hm", "```yaml\n- hosts: all\n```\n```"],
)
def test_a_reply_cut_off_by_its_length_is_told(reply: str) -> None:
    """Half a playbook is not applied: that the reply was too short is what has to be known."""
    with pytest.raises(NoCandidate) as caught:
        take_candidate(Reply(text=reply, finish="length"), CandidateKind.PLAYBOOK)
    assert caught.value.kind == "cut off"


def test_prose_may_be_cut_off() -> None:
    """What was said after a whole playbook does not matter."""
    assert (
        take_candidate(Reply(text=f"```yaml\n{PLAY}```\nThis play", finish="length"), CandidateKind.PLAYBOOK).text
        == PLAY
    )


@given(st.text(alphabet="`~- ahosts:\n\t#<think>/", max_size=200), st.sampled_from(CandidateKind))
def test_any_text_gives_a_candidate_or_a_reason(reply: str, kind: CandidateKind) -> None:
    """No reply makes the harness fail, and what is taken can be taken apart again."""
    with suppress(NoCandidate):
        candidate = take_candidate(Reply(text=reply), kind)
        assert candidate.text.strip()
        assert list(split_parts(kind, candidate.text)) == list(PARTS[kind])


BASH, REGO, JSON, LIST = "```bash\nls\n```\n", "```rego\npackage check\n```\n", '```json\n{"a": 1}\n```\n', "- a: 1\n"
YAML, PLAYBOOK = f"```yaml\n{LIST}```\n", f"```yaml\n{PLAY}```\n"
BOTH = {"script.sh": "ls\n", "policy.rego": "package check\n"}
AUDIT = {"playbook.yml": PLAY, "policy.rego": "package check\n"}


@pytest.mark.parametrize(
    ("kind", "reply", "parts", "taken"),
    [
        ("script", f"So:\n{BASH}Done.", {"script.sh": "ls\n"}, "fenced block 1 of 1"),
        ("script", f"{JSON}{BASH}{YAML}", {"script.sh": "ls\n"}, "fenced block 2 of 3"),
        ("script", f"{BASH}Again:\n{BASH}", {"script.sh": "ls\n"}, "fenced block 2 of 2"),
        ("script", "```\nls\n```", {"script.sh": "ls\n"}, "fenced block 1 of 1"),
        ("script", f"<think>{BASH.replace('ls', 'rm')}</think>{BASH}", {"script.sh": "ls\n"}, "fenced block 1 of 1"),
        ("script", "````sh\ncat <<E\n```\nE\n````", {"script.sh": "cat <<E\n```\nE\n"}, "fenced block 1 of 1"),
        ("manifests", YAML, {"manifests.yaml": LIST}, "fenced block 1 of 1"),
        ("policy", f"{BASH}{YAML}", {"policy.yaml": LIST}, "fenced block 2 of 2"),
        ("answer", f"{BASH}{JSON}", {"answer.json": '{"a": 1}\n'}, "fenced block 2 of 2"),
        ("evidence", f"{BASH}{REGO}", BOTH, "fenced block 1 of 2; fenced block 2 of 2"),
        ("evidence", f"{REGO}{BASH}{JSON}", BOTH, "fenced block 2 of 3; fenced block 1 of 3"),
        ("audit", f"{PLAYBOOK}{REGO}", AUDIT, "fenced block 1 of 2; fenced block 2 of 2"),
    ],
)
def test_each_kind_is_taken(kind: str, reply: str, parts: dict[str, str], taken: str) -> None:
    """Each part is the block of its language, whatever else the reply holds."""
    candidate = take_candidate(Reply(text=reply), CandidateKind(kind))
    assert split_parts(CandidateKind(kind), candidate.text) == parts
    assert candidate.taken == taken


@pytest.mark.parametrize(
    ("kind", "reply", "failure", "said"),
    [
        ("script", f"{BASH}or\n{BASH.replace('ls', 'id')}", "several candidates", "2 blocks that could be its script"),
        ("answer", f"{JSON}{JSON.replace('1', '2')}", "several candidates", "2 blocks that could be its answer"),
        ("manifests", f"{YAML}{PLAYBOOK}", "several candidates", "2 blocks that could be its manifests"),
        ("script", YAML, "wrong language", "the reply holds yaml, and no script"),
        ("answer", BASH, "wrong language", "the reply holds bash, and no answer"),
        ("policy", f"{JSON}{BASH}", "wrong language", "the reply holds bash, json, and no policy"),
        ("script", "```\nls\n```\n```\nid\n```", "no candidate", "the reply holds no script"),
        ("script", "kubectl get pods", "no candidate", "the reply holds no script"),
        ("script", "```\n\n```", "no candidate", "the reply holds no script"),
        ("script", "I cannot help with that.", "refusal", "the model refuses"),
        ("evidence", BASH, "no candidate", "the reply holds no Rego policy"),
        ("evidence", f"{BASH}{JSON}", "wrong language", "the reply holds json, and no Rego policy"),
        ("evidence", "```\nls\n```", "no candidate", "the reply holds no script"),
        ("evidence", REGO, "wrong language", "the reply holds rego, and no script"),
        ("audit", PLAYBOOK, "no candidate", "the reply holds no Rego policy"),
        ("answer", f'```json\n"{"a" * SIZE_LIMIT}"\n```', "no candidate", "the answer is too large"),
    ],
)
def test_each_kind_says_what_it_lacks(kind: str, reply: str, failure: str, said: str) -> None:
    """The reason names the part that is missing, or that is there more than once."""
    with pytest.raises(NoCandidate, match=said) as caught:
        take_candidate(Reply(text=reply), CandidateKind(kind))
    assert caught.value.kind == failure


@pytest.mark.parametrize(
    ("kind", "reply", "said"),
    [
        ("script", "```bash\nls", "in the middle of its script"),
        ("answer", '```json\n{"a":', "in the middle of its answer"),
        ("evidence", BASH, "before its Rego policy"),
        ("evidence", f"{BASH}```rego\npackage", "in the middle of its Rego policy"),
        ("manifests", "Let us see", "before its manifests"),
    ],
)
def test_each_kind_may_be_cut_off(kind: str, reply: str, said: str) -> None:
    """Half a candidate is none, whichever part is the half one."""
    with pytest.raises(NoCandidate, match=said) as caught:
        take_candidate(Reply(text=reply, finish="length"), CandidateKind(kind))
    assert caught.value.kind == "cut off"


@given(st.lists(st.text(alphabet="`a \t\n~{", max_size=60), min_size=2, max_size=2))
def test_parts_survive_being_joined(texts: list[str]) -> None:
    """Fences of any length within a part do not end it; only space at its end may go."""
    given_parts = dict(zip(PARTS[CandidateKind.EVIDENCE], texts, strict=True))
    joined = join_parts(CandidateKind.EVIDENCE, given_parts)
    wanted = {name: text.rstrip() + "\n" for name, text in given_parts.items()}
    assert split_parts(CandidateKind.EVIDENCE, joined) == wanted
