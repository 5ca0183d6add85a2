"""A run of proofs: scenarios whose kept proof still holds are left out, and what is proven is kept at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.collection import PLAN, plan_proofs
from pytest_itbench.proofs import Proof, identify, read_proofs, write_proofs
from pytest_itbench.scenario_paths import load_collected, shorten_path

HELD = "itbench-held"
"""The key under which xdist's workers hand back what they left out, and are handed the proofs that there were."""


@dataclass(slots=True)
class Progress:
    """What is known of one scenario: the proofs that held, by item; how long all took; whether one did not hold."""

    held: set[str] = field(default_factory=set)
    seconds: float = 0.0
    failed: bool = False


class Proving:
    """The plugin object of a run with ``--itbench-proofs``, on the controller and on workers."""

    def __init__(self, config: pytest.Config, path: Path, repeat: int | None) -> None:
        """Read what was proven before.

        Raises:
            OptionMistake: the file is no file of proofs.
        """
        self._config, self._path, self._repeat = config, path, repeat
        self._repeats = repeat or 1
        self._controls = not hasattr(config, "workerinput")
        self._proofs = read_proofs(path) if self._controls else {}
        usable = {name: proof.key for name, proof in self._proofs.items() if proof.repeats >= self._repeats}
        self._keys: dict[str, str] = usable if self._controls else config.workerinput[HELD]  # type: ignore[attr-defined]
        self._held: set[str] = set()
        self._progress: defaultdict[str, Progress] = defaultdict(Progress)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which proofs there were when the run began."""
        node.workerinput[HELD] = self._keys

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out scenarios that did not change since they were proven."""
        scenarios = {item.stash[PLAN].scenario.id: item.stash[PLAN].scenario for item in items if PLAN in item.stash}
        known = [scenario for name, scenario in scenarios.items() if name in self._keys]
        self._held = {scenario.id for scenario in known if self._keys[scenario.id] == identify(scenario)}
        gone = [item for item in items if PLAN in item.stash and item.stash[PLAN].scenario.id in self._held]
        if gone:
            config.hook.pytest_deselected(items=gone)
            items[:] = [item for item in items if item not in set(gone)]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear what a worker left out."""
        self._held |= set(getattr(node, "workeroutput", {}).get(HELD, ()))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a proof as soon as all of it held; forget one as soon as a part of it did not."""
        path, _, name = report.nodeid.rpartition("::")
        if not self._controls or not path.endswith("scenario.yaml"):
            return
        scenario = load_collected(self._config, path)
        progress = self._progress[scenario.id]
        if report.failed:
            progress.failed = True
            if self._proofs.pop(scenario.id, None):
                write_proofs(self._path, self._proofs)
        progress.seconds += report.duration
        if report.passed and report.when == "call":  # one that is skipped passes its teardown
            progress.held.add(name)
        wanted = {name for name, _ in plan_proofs(scenario, self._repeat)}
        if report.when == "teardown" and not progress.failed and wanted <= progress.held:
            self._proofs[scenario.id] = Proof(
                key=identify(scenario),
                proven=datetime.now(UTC).isoformat(timespec="seconds"),
                version=version("pytest-itbench"),
                repeats=self._repeats,
                proofs=len(wanted),
                seconds=round(progress.seconds, 1),
            )
            write_proofs(self._path, self._proofs)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand back what was left out; a run in which every proof still holds has done what was asked for."""
        if not self._controls:
            self._config.workeroutput[HELD] = sorted(self._held)  # type: ignore[attr-defined]  # xdist adds it
        elif session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self._held:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many proofs hold, and which scenarios have one that does not."""
        new = self._progress.keys() & self._proofs.keys()
        failed = sorted(name for name, progress in self._progress.items() if progress.failed)
        text = f"{shorten_path(self._path)}: {len(new)} proven now, {len(self._held)} unchanged since they were proven"
        terminalreporter.section("itbench")
        terminalreporter.write_line(f"{text}; failed: {', '.join(failed)}" if failed else text)
