"""``report.html``: the run as one page that needs no network and no other file.

The figures travel as one JSON blob, and the page's script shows them as text only: what a model or a tool
wrote cannot become markup. The evidence travels compressed, since a page opened from disk may not read the
files beside it; the page unpacks a text when somebody looks at it.
"""

from __future__ import annotations

import json
import os
import re
import stat
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
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
STYLES = ("assets/uplot/uPlot.min.css", "templates/report.css")
LIBRARIES = ("assets/uplot/uPlot.iife.min.js", "assets/highlight/highlight.min.js")
OWN_SCRIPTS = ("base", "overview", "charts", "matrix", "details", "address", "start")
"""Joined in this order, since all share one scope."""
PLAIN = re.compile(r"(?:\w[\w-]*(?:\.\w+)*/)*\w[\w-]*(?:\.\w+)*", re.ASCII)
"""Paths as the harness makes them, which need no further look."""

MOST_ATTEMPTS = 20_000
"""With more, the page has no single attempts: a browser would take too long over them."""
LONGEST, SHORTEST = 4000, 200
"""Characters of a message: all that is shown, and what is shown at least when there are very many."""
MESSAGES = 8_000_000
"""Characters of all messages together, roughly."""
LARGEST_TEXT = 200_000
"""Bytes of one evidence file."""
EVIDENCE = 24_000_000
"""Characters of base64 of all evidence files together."""
EVIDENCE_ORDER = ("candidate", "prompt", "apply", "reply")
"""What is embedded first, as there may not be room for all."""


def write(summary: RunSummary, directory: Path) -> Path:
    """Write ``report.html`` into `directory` and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    path = directory / NAME
    path.write_text(render_page(summary, directory), encoding="utf-8")
    return path


def render_page(summary: RunSummary, directory: Path | None = None) -> str:
    """The whole page as text, with the evidence files that lie in `directory`."""
    templates = Environment(
        loader=PackageLoader("pytest_itbench.reporting"), autoescape=True, undefined=StrictUndefined
    )
    styles = [_asset(name) for name in STYLES]
    own = "".join(_asset(f"templates/{name}.js") for name in OWN_SCRIPTS)
    scripts = [*(_asset(name) for name in LIBRARIES), own]
    texts = EmbeddedTexts(directory) if directory else None
    content = embed(build_content(summary, texts))
    return templates.get_template("report.html.j2").render(
        run=printable(summary.info.run),
        styles=[Markup(style) for style in styles],  # noqa: S704 - our own files
        style_hashes=" ".join(_source_hash(style) for style in styles),
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files
        script_hashes=" ".join(_source_hash(script) for script in scripts),
        content=Markup(content),  # noqa: S704 - `embed` escapes it
        texts=Markup("\n".join(texts.lines) if texts else ""),  # noqa: S704 - base64
    )


def embed(content: dict[str, Any]) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element or starts markup."""
    text = json.dumps(content, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def build_content(summary: RunSummary, texts: EmbeddedTexts | None = None) -> dict[str, Any]:
    """The content of ``summary.json`` with each attempt's checks, links to its evidence and places of its texts."""
    if len(summary.outcomes) > MOST_ATTEMPTS:
        return build_document(_without_attempts(summary)) | {"reduced": True, "cut_texts": []}
    content = build_document(summary)
    limit = _message_limit(summary)
    pairs = [
        (attempt, outcome)
        for record, result in zip(content["scenarios"], summary.scenarios, strict=True)
        for attempt, outcome in zip(record["attempts"], result.outcomes, strict=True)
    ]
    for attempt, outcome in pairs:
        attempt.update(_details(outcome, limit))
    if texts:
        for what in _embedding_order(summary):
            for attempt, outcome in pairs:
                if what in attempt["evidence"]:
                    attempt["evidence"][what][1] = texts.add(outcome.evidence[what])
    return content | {"reduced": False, "cut_texts": texts.cut if texts else []}


def link(path: str) -> str | None:
    """A URL relative to the page for a file of the run; None when `path` leads out of the run's directory."""
    if PLAIN.fullmatch(path):
        return path
    parts = PurePosixPath(path)
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or "\\" in path:
        return None
    return quote(str(parts), errors="surrogatepass")


class EmbeddedTexts:
    """Evidence files of one run's directory as lines of base64 over raw deflate, the same text once.

    Attributes:
        cut: the places of texts that were longer than `LARGEST_TEXT`.
    """

    def __init__(self, directory: Path, budget: int = EVIDENCE) -> None:
        self.lines: list[str] = []
        self.cut: list[int] = []
        self._root = directory.resolve()
        self._left = budget
        self._places: dict[bytes, int] = {}
        self._inside: dict[Path, bool] = {}

    def add(self, path: str) -> int | None:
        """The place of a file's text; None when there is no room, or no text of this run under that path."""
        if self._left <= 0 or link(path) is None:
            return None
        raw = self._read(path)
        if raw is None or b"\0" in raw:
            return None
        digest = sha256(raw).digest()
        if digest not in self._places:
            line = _pack(raw[:LARGEST_TEXT])
            self._left -= len(line)
            if self._left < 0:
                return None
            self._places[digest] = len(self.lines)
            if len(raw) > LARGEST_TEXT:
                self.cut.append(len(self.lines))
            self.lines.append(line)
        return self._places[digest]

    def _read(self, path: str) -> bytes | None:
        place = self._root / path
        # A candidate or a solver may have put a link or a pipe there: neither is followed or waited for.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            if not self._is_inside(place.parent):
                return None
            with os.fdopen(os.open(place, flags), "rb") as file:
                return file.read(LARGEST_TEXT + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
        except (OSError, ValueError, RuntimeError):
            return None

    def _is_inside(self, folder: Path) -> bool:
        if folder not in self._inside:
            self._inside[folder] = folder.resolve().is_relative_to(self._root)
        return self._inside[folder]


def _pack(raw: bytes) -> str:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    text = printable(raw.decode("utf-8", "replace"))
    return b64encode(deflate.compress(text.encode()) + deflate.flush()).decode()


def _without_attempts(summary: RunSummary) -> RunSummary:
    return replace(summary, outcomes=(), scenarios=tuple(replace(each, outcomes=()) for each in summary.scenarios))


def _embedding_order(summary: RunSummary) -> list[str]:
    found = {what for outcome in summary.outcomes for what in outcome.evidence}
    first = [what for what in EVIDENCE_ORDER if what in found]
    return first + sorted(found.difference(first))


def _message_limit(summary: RunSummary) -> int:
    total = sum(min(len(text), LONGEST) for outcome in summary.outcomes for text in _messages(outcome))
    return LONGEST if total <= MESSAGES else max(SHORTEST, LONGEST * MESSAGES // total)


def _messages(outcome: Outcome) -> Iterator[str]:
    yield outcome.message
    yield outcome.hint
    for check in outcome.checks:
        yield check.message


def _details(outcome: Outcome, limit: int) -> dict[str, Any]:
    links = {name: link(path) for name, path in outcome.evidence.items()}
    return {
        "message": _text(outcome.message, limit),
        "hint": _text(outcome.hint, limit),
        "checks": [_check(check, limit) for check in outcome.checks],
        "evidence": {name: [target, None] for name, target in links.items() if target},
    }


def _check(check: CheckResult, limit: int) -> dict[str, Any]:
    return {
        "name": check.name,
        "passed": check.passed,
        "message": _text(check.message, limit),
        "seconds": round(check.seconds, 3),
    }


def _text(text: str, limit: int) -> str:
    return shorten(printable(text), limit) if text else ""


def _asset(name: str) -> str:
    return files("pytest_itbench.reporting").joinpath(*name.split("/")).read_text("utf-8")


def _source_hash(text: str) -> str:
    """The text's hash in the form of a Content-Security-Policy (CSP level 3, section 2.3.1)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
