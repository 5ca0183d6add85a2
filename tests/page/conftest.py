"""A page as headless Chromium shows it, and what it says when a script acts on it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1300,1600")

# Acts on the page in a frame, since the page's own policy lets no foreign script in.
DRIVER = """<!doctype html><meta charset="utf-8">
<iframe width="1280" height="1500"></iframe><pre id="answer"></pre>
<script>
const frame = document.querySelector("iframe");
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
async function until(condition) { for (let tries = 0; tries < 100 && !condition(); tries += 1) await pause(20); }
frame.addEventListener("load", async () => {
  const page = frame.contentWindow, doc = frame.contentDocument;
  const find = (selector) => doc.querySelector(selector), all = (selector) => [...doc.querySelectorAll(selector)];
  let answer;
  try { answer = await (async () => { %s })(); } catch (error) { answer = { error: String(error) }; }
  document.getElementById("answer").textContent = JSON.stringify(answer);
}, { once: true });
frame.src = %s;
</script>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The page's elements as text after its scripts have run, and what stood in the console."""

    elements: str
    console: list[str]

    @property
    def milliseconds(self) -> int:
        """How long the page took to open, by its own clock."""
        found = re.search(r'data-opened-in="(\d+)"', self.elements)
        assert found, self.elements[:500]
        return int(found[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Headless Chromium, started anew for each question."""

    program: str

    def visit(self, page: Path, address: str = "", *flags: str, patience: int | None = 10_000) -> Visit:
        """Open a page; `patience` is in milliseconds of the browser's virtual time, None for the real clock."""
        budget = [] if patience is None else [f"--virtual-time-budget={patience}"]
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            command = [self.program, *FLAGS, f"--user-data-dir={profile}", *budget, *flags, "--dump-dom"]
            command.append(page.as_uri() + address)
            done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=90, check=True)
        return Visit(elements=done.stdout, console=[line for line in done.stderr.splitlines() if "CONSOLE" in line])

    def ask(self, page: Path, script: str, address: str = "", *flags: str) -> Any:
        """What the body of an async function returns that acts on the page by `find`, `all`, `page` and `until`.

        Nothing may appear in the console meanwhile.
        """
        driver = page.with_name("driver.html")
        driver.write_text(DRIVER % (script, json.dumps(page.name + address)), encoding="utf-8")
        seen = self.visit(driver, "", "--allow-file-access-from-files", *flags)
        found = re.search(r'<pre id="answer">(.*?)</pre>', seen.elements, re.DOTALL)
        assert found, seen.elements[-500:]
        assert found[1], f"no answer; console: {seen.console}"
        assert seen.console == []
        answer = json.loads(unescape(found[1]))
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer


@pytest.fixture(scope="session")
def browser() -> Browser:
    """Skips the test where there is no browser."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if not program:
        pytest.skip("not on this machine: no Chromium or Chrome")
    return Browser(program=program)
