"""Why a candidate failed, from its own evidence: the tool's exit status, its output and its events.

A pure function over a table; the first pattern that is found decides, so that special causes stand before general ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_itbench.domain.application import Application, EventKind
from pytest_itbench.domain.outcome import FailureKind

PATTERNS: tuple[tuple[FailureKind, tuple[str, ...]], ...] = (
    (
        FailureKind.UNKNOWN_MODULE,
        ("couldn't resolve module/action", "was not found in configured module paths"),
    ),
    (
        FailureKind.UNKNOWN_PARAMETER,
        (
            "unsupported parameters",
            "is not a valid attribute for",
            "missing required arguments?",
            r"\(or \w+\) is required",
            "value of .+ must be one of",
            "unable to convert to",
            "parameters are (mutually exclusive|required together)",
            "(one|any) of the following is required",
        ),
    ),
    (
        FailureKind.UNDEFINED_VARIABLE,
        ("is undefined", r"(dict|hostvars)\w*( object)?' has no attribute", "undefined variable", "no variable named"),
    ),
    (
        FailureKind.PATH,
        ("unable to access the file",),
    ),
    (
        FailureKind.TEMPLATE,
        (
            "syntax error in (template|expression)",
            "has no attribute",
            "template ?(syntax)? ?error",
            "no (filter|test) named",
            "could not load .?\\w+",
            "the (filter|test|lookup)( plugin)? .+ (failed|was not found)",
            "error rendering template",
            "lookup plugin .+ not found",
            "conditional .+ (failed|result .+ was of type|cannot be)",
            "broken conditional",
        ),
    ),
    (
        FailureKind.PERMISSION,
        (
            "permission denied",
            "not writable",
            "not permitted",
            "missing sudo password",
            "(must|need to) be (run as )?root",
            "access denied",
            "are you root",
            "read-only file system",
        ),
    ),
    (
        FailureKind.PATH,
        (
            "could not find or access",
            "no such file or directory",
            "does not exist",
            "unable to (find|retrieve file)",
            "source .+ not found",
            "the role .+ was not found",
            "is not a directory",
            "path .+ not found",
            "could not be found",
            "file not found",
        ),
    ),
)

SYNTAX = (
    "yaml parsing failed",
    "syntax error",
    "did not find expected",
    "could not find expected",
    "mapping values are not allowed",
    "conflicting action statements",
    "no module/action detected",
    "a playbook must be a list",
    "unexpected parameter type",
    "not a valid (play|task)",
    "malformed",
    "found (character|duplicate|unknown)",
    "'hosts' is required",
    "playbook entries",
    "cannot contain",
)

PARSER_STATUS = 4
"""ansible-playbook's exit status when it could not even parse what it was given."""


def classify_failure(application: Application) -> tuple[FailureKind, str]:
    """The kind of a failed application, and the text that shows it.

    `application` must have failed: its status is not 0.
    """
    if application.timed_out:
        return FailureKind.TIMEOUT, "the candidate did not end in time"
    failures = application.failures
    if failures and failures[-1].kind is EventKind.UNREACHABLE:
        return FailureKind.UNREACHABLE, failures[-1].message
    if failures:
        last = failures[-1]
        text = f"{last.host}: {last.task}: {last.message}"
        return _match(f"{last.message}\n{_find_cause(application.output)}") or FailureKind.TASK_FAILED, text
    problem = _find_error(application.output)
    special = _match(problem)
    if application.status == PARSER_STATUS:
        return _parser_kind(special), problem
    return special or (FailureKind.SYNTAX if _holds(problem, SYNTAX) else FailureKind.TASK_FAILED), problem


def _parser_kind(special: FailureKind | None) -> FailureKind:
    static = (FailureKind.UNKNOWN_MODULE, FailureKind.UNKNOWN_PARAMETER, FailureKind.PATH)
    return special if special in static else FailureKind.SYNTAX


def _match(text: str) -> FailureKind | None:
    return next((kind for kind, patterns in PATTERNS if _holds(text, patterns)), None)


def _holds(text: str, patterns: Sequence[str]) -> bool:
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)


def _find_cause(output: str) -> str:
    """What the tool printed of the last failed task, without the lines of the playbook that it quotes."""
    block = output.rpartition("\n[ERROR]: Task failed")[2].partition("\nfatal: ")[0]
    headline, *causes = block.split("\n<<< caused by >>>\n")
    return "\n".join(part.strip().partition("\nOrigin: ")[0] for part in (headline, *causes))


def _find_error(output: str) -> str:
    """The tool's own last error message, with the lines that explain it."""
    found = [m.start() for m in re.finditer(r"^\[?ERROR\]?!?:? ", output, re.MULTILINE)]
    return (output[found[0] :] if found else output[-1500:]).strip()[:1500]
