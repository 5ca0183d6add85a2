"""Why a candidate failed, from its own evidence: the tool's exit status, its output and its events.

A pure function over a table; the first pattern that is found decides, so that special causes stand before general ones.
"""

from __future__ import annotations

import re

from pytest_itbench.domain.application import Application, EventKind
from pytest_itbench.domain.outcome import FailureKind

PATTERNS: tuple[tuple[FailureKind, str], ...] = (
    (FailureKind.UNKNOWN_MODULE, r"couldn't resolve module/action|was not found in configured module paths"),
    (
        FailureKind.UNKNOWN_PARAMETER,
        r"unsupported parameters|is not a valid attribute for|missing required arguments?|value of .+ must be one of"
        r"|unable to convert to|parameters are (mutually exclusive|required together)|(one|any) of the following is required",
    ),
    (
        FailureKind.UNDEFINED_VARIABLE,
        r"is undefined|has no attribute|undefined variable|no variable named",
    ),
    (
        FailureKind.TEMPLATE,
        r"syntax error in (template|expression)|template(syntax)? ?error|no (filter|test) named|could not load \"?'?\w+'?\"?"
        r"|unknown (filter|test)|the (filter|test|lookup)( plugin)? .+ (failed|was not found)|error rendering template"
        r"|lookup plugin .+ not found|conditional .+ (failed|result .+ was of type|cannot be)|broken conditional",
    ),
    (
        FailureKind.PERMISSION,
        r"permission denied|operation not permitted|missing sudo password|(must|need to) be (run as )?root"
        r"|access denied|are you root|read-only file system|not permitted",
    ),
    (
        FailureKind.PATH,
        r"could not find or access|no such file or directory|does not exist|unable to (find|retrieve file)|source .+ not found"
        r"|the role .+ was not found|is not a directory|path .+ not found|could not be found|file not found",
    ),
)

SYNTAX = re.compile(
    r"yaml parsing failed|syntax error|did not find expected|mapping values are not allowed|conflicting action statements"
    r"|no module/action detected|a playbook must be a list|unexpected parameter type|not a valid (play|task)|could not find expected"
    r"|malformed|found (character|duplicate|unknown)|'hosts' is required|playbook entries|cannot contain",
    re.IGNORECASE,
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
        return _match(last.message) or FailureKind.TASK_FAILED, text
    problem = _find_error(application.output)
    special = _match(problem)
    if application.status == PARSER_STATUS:
        return _parser_kind(problem, special), problem
    return special or (FailureKind.SYNTAX if SYNTAX.search(problem) else FailureKind.TASK_FAILED), problem


def _parser_kind(problem: str, special: FailureKind | None) -> FailureKind:
    static = (FailureKind.UNKNOWN_MODULE, FailureKind.UNKNOWN_PARAMETER, FailureKind.PATH)
    return special if special in static else FailureKind.SYNTAX


def _match(text: str) -> FailureKind | None:
    for kind, pattern in PATTERNS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind
    return None


def _find_error(output: str) -> str:
    """The tool's own last error message, with the lines that explain it."""
    found = [m.start() for m in re.finditer(r"^\[?ERROR\]?!?:? ", output, re.MULTILINE)]
    return (output[found[0] :] if found else output[-1500:]).strip()[:1500]
