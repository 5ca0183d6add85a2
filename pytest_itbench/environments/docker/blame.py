"""Whose doing it is when a machine does not do as it is told; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pytest_itbench.environments.docker.trouble import Cause


class Sign(StrEnum):
    """What was seen of the command that did not come through."""

    REFUSED = "refused"
    """It could not be started, several times over."""
    KILLED = "killed"
    """Something inside its machine ended it."""
    SILENT = "silent"
    """It is there, but does not answer."""
    CUT = "cut"
    """The connection to it ended, or nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known when trouble came.

    Attributes:
        sign: what became of the command.
        applied: a candidate has been run, so that the machine may be in its hands.
        answers: the engine answers questions.
        exists, running: whether the engine knows the machine, and whether it runs.
        restarted: the engine's witness, which no candidate can reach, was ended or started anew meanwhile.
        accepts: the witness does as it is told now.
        over_limit: what the machine used too much of; empty when nothing.
    """

    sign: Sign
    applied: bool
    answers: bool = True
    exists: bool = True
    running: bool = True
    restarted: bool = False
    accepts: bool = True
    over_limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """The finding.

    Attributes:
        cause: the engine's trouble; None when it is the machine's own doing.
        text: what the machine did; empty when the engine is to blame.
    """

    cause: Cause | None = None
    text: str = ""


STOPPED = "stopped"


def blame(evidence: Evidence, cause: Cause) -> Blame:
    """Tell the engine's trouble from a machine's own doing.

    A doubt is the engine's: an attempt that is made again costs less than a miss that is none. What a candidate could
    bring about at will is never in doubt.

    Args:
        evidence: what was seen.
        cause: what the engine's own words say of the trouble.
    """
    sign, in_hands = evidence.sign, evidence.applied and evidence.accepts
    rules = (
        (not evidence.answers, Blame(cause=cause)),
        (evidence.over_limit, Blame(text=f"used more than it may: {evidence.over_limit}")),
        (not evidence.exists, Blame(cause=Cause.MACHINE_GONE)),
        (evidence.restarted, Blame(cause=Cause.RESTARTED)),
        (not evidence.running, Blame(text=STOPPED)),
        (evidence.applied and sign is Sign.KILLED, Blame(text="ends the validators' commands")),
        (in_hands and sign is Sign.SILENT, Blame(text="does not let validators' commands answer")),
        (in_hands and sign is Sign.REFUSED, Blame(text="does not let validators in")),
    )
    return next((finding for holds, finding in rules if holds), Blame(cause=cause))
