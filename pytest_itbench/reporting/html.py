"""``report.html``: the run as one page that needs no network and no other file.

The figures travel as one JSON blob, and the page's script shows them as text only: what a model or a tool
wrote cannot become markup. Candidates and logs are linked, not embedded.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_itbench.domain.outcome import CheckResult, Outcome
from pytest_itbench.metrics.summary import RunSummary
from pytest_itbench.reporting.document import build_document
from pytest_itbench.reporting.wording import printable, shorten

NAME = "report.html"
PLAIN = re.compile(r"(?:\w[\w-]*(?:\.\w+)*/)*\w[\w-]*(?:\.\w+)*", re.ASCII)
"""Paths as the harness makes them, which need no further look."""
LONGEST = 4000
# Nothing may end the script element or start markup, whatever the text says.
_HARMLESS = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def write(summary: RunSummary, directory: Path) -> Path:
    """Write ``report.html`` into `directory` and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    path = directory / NAME
    path.write_text(render_page(summary), encoding="utf-8")
    return path


def render_page(summary: RunSummary) -> str:
    """The whole page as text."""
    templates = Environment(
        loader=PackageLoader("pytest_itbench.reporting"), autoescape=True, undefined=StrictUndefined
    )
    style, script = _asset("report.css"), _asset("report.js")
    return templates.get_template("report.html.j2").render(
        run=printable(summary.info.run),
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=_source_hash(style),
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=_source_hash(script),
        content=Markup(embed(build_content(summary))),  # noqa: S704 - `embed` escapes it
    )


def embed(content: dict[str, Any]) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(content, separators=(",", ":")).translate(_HARMLESS)


def build_content(summary: RunSummary) -> dict[str, Any]:
    """The content of ``summary.json`` with each attempt's checks and links to its evidence."""
    content = build_document(summary)
    for record, result in zip(content["scenarios"], summary.scenarios, strict=True):
        for attempt, outcome in zip(record["attempts"], result.outcomes, strict=True):
            attempt.update(_details(outcome))
    return content


def link(path: str) -> str | None:
    """A URL relative to the page for a file of the run; None when `path` leads out of the run's directory."""
    if PLAIN.fullmatch(path):
        return path
    parts = PurePosixPath(path)
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or "\\" in path:
        return None
    return quote(str(parts), errors="surrogatepass")


def _details(outcome: Outcome) -> dict[str, Any]:
    links = {name: link(path) for name, path in outcome.evidence.items()}
    return {
        "message": _text(outcome.message),
        "hint": _text(outcome.hint),
        "checks": [_check(check) for check in outcome.checks],
        "evidence": {name: target for name, target in links.items() if target},
    }


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "name": check.name,
        "passed": check.passed,
        "message": _text(check.message),
        "seconds": round(check.seconds, 3),
    }


def _text(text: str) -> str:
    return shorten(printable(text), LONGEST)


def _asset(name: str) -> str:
    return files("pytest_itbench.reporting").joinpath("templates", name).read_text("utf-8")


def _source_hash(text: str) -> str:
    """The text's hash in the form of a Content-Security-Policy (CSP level 3, section 2.3.1)."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
