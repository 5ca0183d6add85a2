"""How far a run is: a live display on a terminal, a line a minute elsewhere, nothing with ``-q``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pytest_itbench.domain.outcome import Outcome, Verdict
from pytest_itbench.runner import PAYLOAD

EVERY = 60.0
"""Seconds between lines where there is no terminal."""
REFRESH = 4
"""Pictures a second on a terminal."""
HOUR, MINUTE = 3600, 60
Spent = Callable[[], Mapping[str, float]]
"""What was asked of providers so far, as `models.gate.Gate.report` gives it."""


@dataclass(slots=True)
class Count:
    """What has become of the attempts so far.

    Attributes:
        planned: attempts to be made, by model.
        ended: verdicts by model.
        running: items that began and have not ended.
    """

    planned: Counter[str] = field(default_factory=Counter)
    ended: dict[str, Counter[Verdict]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.ended.setdefault(outcome.key.model, Counter())[outcome.verdict] += 1

    @property
    def done(self) -> int:
        """Attempts that have ended."""
        return sum(counts.total() for counts in self.ended.values())

    def find_rate(self) -> float:
        """Attempts a minute, since the first began."""
        spent = time.monotonic() - self.began
        return self.done / spent * MINUTE if spent else 0.0

    def find_left(self) -> float | None:
        """Seconds that the rest takes at that rate; None while nobody can know."""
        rate = self.find_rate()
        return (self.planned.total() - self.done) / rate * MINUTE if self.done and rate else None


def render_time(seconds: float) -> str:
    """A duration, rounded for people."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds // HOUR:.0f} h {seconds % HOUR / MINUTE:.0f} min"


def render_facts(count: Count, spent: Mapping[str, float]) -> str:
    """What is under way, how fast, what it cost and how long it takes."""
    facts = [f"{len(count.running)} running", f"{count.find_rate():.1f} a minute"]
    if spent["dollars"]:
        facts.append(f"${spent['dollars']:.2f}")
    elif spent["tokens"]:
        facts.append(f"{spent['tokens']:.0f} tokens")
    left = count.find_left()
    facts.append("" if left is None else f"{render_time(left)} left")
    return ", ".join(filter(None, facts))


def render_line(count: Count, spent: Mapping[str, float]) -> str:
    """All of it in one line."""
    verdicts = sum(count.ended.values(), Counter[Verdict]())
    said = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict)
    return f"itbench: {count.done} of {count.planned.total()} attempts: {said}; {render_facts(count, spent)}"


def render_display(count: Count, spent: Mapping[str, float]) -> Group:
    """A row with a bar for each model, and the facts below."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for model, planned in count.planned.items():
        counts = count.ended.get(model, Counter())
        styles = {Verdict.SOLVED: "green", Verdict.MISSED: "red", Verdict.INVALID: "yellow"}
        said = [Text(f"{counts[verdict]} {verdict}", style=style) for verdict, style in styles.items()]
        bar = ProgressBar(total=planned, completed=counts.total(), width=20)
        table.add_row(Text(model, overflow="ellipsis", no_wrap=True), bar, f"{counts.total()}/{planned}", *said)
    return Group(table, Text(render_facts(count, spent), style="dim"))


class Progress:
    """The plugin object that shows it, in the process that the user started."""

    def __init__(self, config: pytest.Config, spent: Spent) -> None:
        self._config, self._spent = config, spent
        self._count = Count()
        self._models: dict[str, str] = {}
        self._live: Live | None = None
        self._told = time.monotonic()

    @property
    def shows_display(self) -> bool:
        """Whether the display takes the place of pytest's letters."""
        return self._live is not None

    def begin(self, models: Mapping[str, str]) -> None:
        """Begin to show; `models` are those of all attempts that are planned, by the ids of their items."""
        self._models |= models
        self._count.planned.update(models.values())
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self._live:
            return
        self._count.began = time.monotonic()
        shared = self._config.option.capture == "no" or self._config.option.usepdb  # others write there too
        if not reporter.isatty or self._config.get_verbosity() != 0 or shared:
            return
        reporter.ensure_newline()
        reporter.showfspath = False  # the display says where the run is
        console = Console(file=reporter._tw._file, force_terminal=True)  # noqa: SLF001  # the only way to the terminal
        self._live = Live(
            console=console,
            get_renderable=lambda: render_display(self._count, self._spent()),
            refresh_per_second=REFRESH,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """An item begins."""
        self._count.running.add(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """An item has ended."""
        self._count.running.discard(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What is skipped is no longer planned; what was expected to fail is reported as skipped, with its outcome."""
        if report.skipped and not hasattr(report, PAYLOAD) and (model := self._models.get(report.nodeid)):
            self._count.planned[model] -= 1
            self._stop_at_end()

    def _stop_at_end(self) -> None:
        if self._live and self._count.done >= self._count.planned.total():
            self._live.stop()  # pytest writes its own last line after this

    def pytest_itbench_outcome(self, outcome: Outcome) -> None:
        """An attempt has ended."""
        self._count.add(outcome)
        self._stop_at_end()
        now = time.monotonic()
        if self._live is None and now - self._told >= EVERY and self._config.get_verbosity() >= 0:
            self._told = now
            reporter = self._config.pluginmanager.get_plugin("terminalreporter")
            if reporter:
                reporter.ensure_newline()
                reporter.write_line(render_line(self._count, self._spent()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Stop showing."""
        if self._live:
            self._live.stop()
