"""How the reports put things: numbers, untrusted text and causes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pytest_itbench.domain.outcome import FailureKind, Verdict
from pytest_itbench.metrics.summary import PassAtK, RunSummary

NOT_KNOWN = "n/a"
PARTIAL = "*"

# CSI and OSC sequences, then any other two-character escape (ECMA-48).
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
# Everything outside the Char production of XML 1.0, C1 controls, and marks that reorder text.
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Invalid attempts with the same reason; message is one line, hint may be empty."""

    kind: FailureKind
    message: str
    hint: str
    count: int


def printable(text: str) -> str:
    """Drop escape sequences and replace what no XML file or terminal should receive by U+FFFD."""
    without_escapes = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub("\ufffd", without_escapes)


def shorten(text: str, limit: int) -> str:
    """Cut `text` to at most `limit` characters, with an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def first_line(text: str, limit: int = 200) -> str:
    """The first line that says something, printable and at most `limit` characters long."""
    lines = (line.strip() for line in printable(text).splitlines())
    return shorten(next((line for line in lines if line), ""), limit)


def format_rate(rate: PassAtK) -> str:
    """A pass@k with two decimals, marked when it leaves scenarios out."""
    if rate.value is None:
        return NOT_KNOWN
    return f"{rate.value:.2f}{PARTIAL if rate.partial else ''}"


def format_interval(rate: PassAtK) -> str:
    """The interval of a pass@k; empty where there is none."""
    return "" if rate.low is None or rate.high is None else f"[{rate.low:.2f}, {rate.high:.2f}]"


def plural(count: int, noun: str) -> str:
    """A count with its noun, such as ``1 attempt`` or ``3 attempts``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def has_partial_rates(summary: RunSummary) -> bool:
    """Whether any group's pass@k leaves scenarios out, so that a footnote is due."""
    return any(rate.partial for group in summary.groups for rate in group.pass_at)


def has_one_domain(summary: RunSummary, model: str) -> bool:
    """Whether a model's total says the same as its only domain."""
    return len(summary.groups_of(model)) <= 2  # noqa: PLR2004  # the domain and the total


def invalid_causes(summary: RunSummary) -> tuple[Cause, ...]:
    """Why attempts were invalid, the most frequent cause first."""
    counts = Counter(
        (outcome.kind or FailureKind.HARNESS, first_line(outcome.message), first_line(outcome.hint))
        for outcome in summary.outcomes
        if outcome.verdict is Verdict.INVALID
    )
    causes = [
        Cause(kind=kind, message=message, hint=hint, count=count) for (kind, message, hint), count in counts.items()
    ]
    return tuple(sorted(causes, key=lambda cause: (-cause.count, cause.kind, cause.message, cause.hint)))


def retried_causes(summary: RunSummary) -> tuple[tuple[str, int], ...]:
    """Why attempts were tried again, the most frequent cause first."""
    counts = Counter(each.cause for outcome in summary.outcomes for each in outcome.tries)
    return tuple(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def missed_kinds(summary: RunSummary, model: str) -> tuple[tuple[FailureKind, int], ...]:
    """Why one model's attempts missed, the most frequent kind first."""
    return tuple(
        (entry.kind, entry.count)
        for entry in summary.failure_kinds
        if entry.model == model and entry.verdict is Verdict.MISSED
    )
