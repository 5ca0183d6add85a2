"""Find the candidate in a reply. Purely textual: nothing that a model wrote is parsed as YAML on this machine."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pytest_itbench.domain.candidate import Candidate, Reply
from pytest_itbench.domain.outcome import FailureKind
from pytest_itbench.domain.parts import join_parts
from pytest_itbench.domain.scenario import PARTS, CandidateKind

SIZE_LIMIT = 256 * 1024
"""Characters; the largest candidate that is taken."""

YAML_TAGS = frozenset({"yaml", "yml", "ansible"})
LANGUAGES = {
    "playbook.yml": YAML_TAGS,
    "script.sh": frozenset({"bash", "sh", "shell"}),
    "manifests.yaml": frozenset({"yaml", "yml", "kubernetes", "k8s"}),
    "policy.rego": frozenset({"rego", "opa"}),
    "policy.yaml": frozenset({"yaml", "yml", "kyverno"}),
    "answer.json": frozenset({"json", "json5", "jsonc"}),
}
"""What a model may call a block that holds a part of its candidate."""
NAMES = {
    "playbook.yml": "playbook",
    "script.sh": "script",
    "manifests.yaml": "manifests",
    "policy.rego": "Rego policy",
    "policy.yaml": "policy",
    "answer.json": "answer",
}
OPENING = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[\w.+-]*)[^`\n]*$")
THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
PLAY = re.compile(r"^[ \t]*(?:-[ \t]+)?(?:hosts|['\"]hosts['\"])[ \t]*:", re.MULTILINE)
REFUSAL = re.compile(
    r"\b(?:I|we)(?:['\u2019]m| am)? (?:sorry|can(?:no|['\u2019])?t|cannot|am not able|won't|will not|unable)\b"
    r"|\bnot able to (?:help|assist)\b"
    r"|\bagainst (?:my|our) (?:guidelines|policy)\b",
    re.IGNORECASE,
)
CUT = "length"
"""The finish reason of a reply that reached its limit of tokens."""
BARE_START = re.compile(
    r"^(?:---\s*|-[ \t]+(?:name|hosts|import_playbook|become|vars|gather_facts)[ \t]*:.*)$", re.MULTILINE
)
BARE_LINE = re.compile(r"^(?:[ \t]+.*|-.*|#.*|)$")


class NoCandidate(Exception):
    """The reply holds nothing that can be applied; `kind` is why the attempt is missed."""

    def __init__(self, kind: FailureKind, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a reply."""

    tag: str
    text: str
    closed: bool


def take_candidate(reply: Reply, kind: CandidateKind) -> Candidate:
    """The candidate in a reply. What stands between ``<think>`` tags is not looked at.

    A playbook is the one fenced block with a play, else bare YAML, else the last block of YAML. Anything else is the
    one fenced block of its language. The same text may stand in several blocks.

    Raises:
        NoCandidate: there is none, there are several, it is cut off or too large.
    """
    text = THOUGHT.sub("", reply.text.replace("\r\n", "\n").encode("utf-8", "replace").decode())
    cut = reply.finish == CUT
    if not text.strip():
        raise NoCandidate(*_explain_silence(reply.text, cut=cut))
    blocks = find_blocks(text)
    found: dict[str, Candidate] = {}
    for part in PARTS[kind]:
        foreign = {tag for other in PARTS[kind] if other != part for tag in LANGUAGES[other]}
        taken = _take_part(part, blocks, text, foreign)
        if taken is None:
            known = {tag for other in found for tag in LANGUAGES[other]}
            raise NoCandidate(*_explain_nothing(text, blocks, NAMES[part], cut=cut, known=known))
        found[part] = taken
    what = NAMES[PARTS[kind][-1]]
    if cut and (not blocks or not blocks[-1].closed):
        raise NoCandidate(FailureKind.CUT_OFF, f"the reply ends in the middle of its {what} ({len(text)} characters)")
    whole = join_parts(kind, {part: taken.text for part, taken in found.items()})
    if len(whole) > SIZE_LIMIT:
        raise NoCandidate(
            FailureKind.NO_CANDIDATE, f"the {what} is too large: {len(whole)} characters, at most {SIZE_LIMIT}"
        )
    return Candidate(text=whole, taken="; ".join(taken.taken for taken in found.values()))


def _take_part(part: str, blocks: Sequence[Block], text: str, foreign: Collection[str]) -> Candidate | None:
    """`foreign` are the languages of the candidate's other parts."""
    if part == "playbook.yml":
        return _take_play(blocks, foreign) or _take_bare(text) or _take_yaml(blocks)
    return _take_tagged(blocks, LANGUAGES[part], NAMES[part], alone=not foreign)


def _take_tagged(blocks: Sequence[Block], tags: frozenset[str], what: str, *, alone: bool) -> Candidate | None:
    """The block in one of some languages; where one part is wanted, a single block that names none is that one."""
    found = [number for number, block in enumerate(blocks) if block.tag in tags and block.text.strip()]
    if not found and alone and len(blocks) == 1 and not blocks[0].tag and blocks[0].text.strip():
        found = [0]
    if len({blocks[number].text.strip() for number in found}) > 1:
        raise NoCandidate(
            FailureKind.SEVERAL_CANDIDATES, f"the reply holds {len(found)} blocks that could be its {what}"
        )
    return _make_candidate(blocks, found[-1]) if found else None


def _explain_silence(text: str, *, cut: bool) -> tuple[FailureKind, str]:
    if cut:
        return FailureKind.CUT_OFF, "the reply ends before it says anything but thoughts"
    return FailureKind.EMPTY_REPLY, "the reply holds thoughts only" if text.strip() else "the reply is empty"


def _explain_nothing(
    text: str, blocks: Sequence[Block], what: str, *, cut: bool, known: Collection[str]
) -> tuple[FailureKind, str]:
    """`known` are the languages of the parts that were found."""
    if cut:
        return FailureKind.CUT_OFF, f"the reply ends before its {what}"
    tags = sorted({block.tag for block in blocks if block.tag and block.tag not in known})
    if tags:
        return FailureKind.WRONG_LANGUAGE, f"the reply holds {', '.join(tags)}, and no {what}"
    if not blocks and REFUSAL.search(text[:600]):
        return FailureKind.REFUSAL, f"the model refuses: {' '.join(text.split())[:200]}"
    return FailureKind.NO_CANDIDATE, f"the reply holds no {what}"


def find_blocks(text: str) -> list[Block]:
    """All fenced blocks in order; one that is never closed reaches to the end."""
    blocks: list[Block] = []
    lines = iter(text.split("\n"))
    for line in lines:
        opening = OPENING.match(line)
        if not opening:
            continue
        indent, fence = opening["indent"], opening["fence"]
        closing = re.compile(rf"^[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
        content, closed = [], False
        for inner in lines:
            if closing.match(inner):
                closed = True
                break
            content.append(inner.removeprefix(indent))
        blocks.append(Block(opening["tag"].lower(), "\n".join(content) + "\n", closed))
    return blocks


def _take_play(blocks: Sequence[Block], foreign: Collection[str]) -> Candidate | None:
    """The block that holds a play; several are no answer, for nobody could say which of them is meant."""
    found = [number for number, block in enumerate(blocks) if block.tag not in foreign and PLAY.search(block.text)]
    if len({blocks[number].text.strip() for number in found}) > 1:
        raise NoCandidate(FailureKind.SEVERAL_CANDIDATES, f"the reply holds {len(found)} different playbooks")
    return _make_candidate(blocks, found[-1]) if found else None


def _take_yaml(blocks: Sequence[Block]) -> Candidate | None:
    """The last block that says it is YAML: no play, but it fails for its own reason when it is run."""
    found = [number for number, block in enumerate(blocks) if block.tag in YAML_TAGS and block.text.strip()]
    return _make_candidate(blocks, found[-1]) if found else None


def _make_candidate(blocks: Sequence[Block], number: int) -> Candidate:
    end = "" if blocks[number].closed else ", never closed"
    return Candidate(text=blocks[number].text, taken=f"fenced block {number + 1} of {len(blocks)}{end}")


def _take_bare(text: str) -> Candidate | None:
    start = BARE_START.search(text)
    if not start:
        return None
    kept: list[str] = []
    for line in text[start.start() :].split("\n"):
        if not BARE_LINE.match(line):
            break
        kept.append(line)
    playbook = "\n".join(kept).strip() + "\n"
    first = text[: start.start()].count("\n") + 1
    return Candidate(text=playbook, taken=f"bare YAML from line {first}") if PLAY.search(playbook) else None
