"""Find the playbook in a reply. Purely textual: nothing that a model wrote is parsed as YAML on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_itbench.domain.candidate import Candidate

SIZE_LIMIT = 256 * 1024
"""Characters; the largest playbook that is taken."""

YAML_TAGS = frozenset({"yaml", "yml", "ansible"})
OPENING = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[\w.+-]*)[^`\n]*$")
THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
PLAY = re.compile(r"^[ \t]*(?:-[ \t]+)?(?:hosts|['\"]hosts['\"])[ \t]*:", re.MULTILINE)
BARE_START = re.compile(
    r"^(?:---\s*|-[ \t]+(?:name|hosts|import_playbook|become|vars|gather_facts)[ \t]*:.*)$", re.MULTILINE
)
BARE_LINE = re.compile(r"^(?:[ \t]+.*|-.*|#.*|)$")


class NoCandidate(Exception):
    """The reply holds nothing that can be applied."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a reply."""

    tag: str
    text: str
    closed: bool


def take_playbook(reply: str) -> Candidate:
    """The playbook in a reply: the last fenced block with a play, else bare YAML, else the last block of YAML.

    What stands between ``<think>`` tags is not looked at.

    Raises:
        NoCandidate: there is none, or it is too large.
    """
    text = THOUGHT.sub("", reply.replace("\r\n", "\n"))
    if not text.strip():
        raise NoCandidate("the reply is empty" if not reply.strip() else "the reply holds thoughts only")
    found = _take_block(text, with_play=True) or _take_bare(text) or _take_block(text, with_play=False)
    if found is None:
        raise NoCandidate("the reply holds no playbook, neither in a fenced block nor bare")
    if len(found.text) > SIZE_LIMIT:
        raise NoCandidate(f"the playbook is too large: {len(found.text)} characters, at most {SIZE_LIMIT}")
    return found


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


def _take_block(text: str, *, with_play: bool) -> Candidate | None:
    blocks = find_blocks(text)
    for number in range(len(blocks), 0, -1):
        block = blocks[number - 1]
        usable = PLAY.search(block.text) if with_play else block.tag in YAML_TAGS
        if usable and block.text.strip():
            end = "" if block.closed else ", never closed"
            return Candidate(text=block.text, taken=f"fenced block {number} of {len(blocks)}{end}")
    return None


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
