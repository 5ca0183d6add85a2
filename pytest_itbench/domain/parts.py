"""A candidate of several files as one text: each file is a fenced block, in the order of `PARTS`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pytest_itbench.domain.scenario import PARTS, CandidateKind

TICKS = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)
SHORTEST = 5
"""The usual length of a fence between parts."""
SPLIT = re.compile(r"^(`{5,}) [^`\n]*\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def put_in_fence(label: str, text: str, shortest: int = 3) -> str:
    """A fenced block, whose fence is longer than any that stands in the text."""
    ticks = "`" * max(shortest, 1 + max(map(len, TICKS.findall(text)), default=0))
    return f"{ticks}{label}\n{text.rstrip()}\n{ticks}\n"


def join_parts(kind: CandidateKind, texts: Mapping[str, str]) -> str:
    """One text; a candidate of a single file is that file."""
    names = PARTS[kind]
    if len(names) == 1:
        return texts[names[0]]
    return "".join(put_in_fence(f" {name}", texts[name], SHORTEST) for name in names)


def split_parts(kind: CandidateKind, text: str) -> dict[str, str]:
    """The files by name; the opposite of `join_parts`."""
    names = PARTS[kind]
    if len(names) == 1:
        return {names[0]: text}
    return dict(zip(names, (match[2] for match in SPLIT.finditer(text)), strict=False))
