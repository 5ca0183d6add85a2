"""The one process that keeps the ledger: outcomes as they arrive, what was lost, reports, the table at the end."""

from __future__ import annotations

import json
import logging
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench import wire
from pytest_itbench.asking import ASKING
from pytest_itbench.collection import PLAN, parse_attempt_name
from pytest_itbench.domain.candidate import ModelChoice
from pytest_itbench.domain.outcome import AttemptKey, FailureKind, Outcome, Stage, Verdict
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.errors import AttemptInvalid, BrokenScenario, UserMistake
from pytest_itbench.ledger import CANDIDATES, Ledger, LineFile
from pytest_itbench.loading.scenario import find_duplicates, find_scenario_files, load_scenario
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.summary import RunInfo, RunSummary
from pytest_itbench.reporting.files import write_reports
from pytest_itbench.reporting.terminal import render_summary
from pytest_itbench.runner import CANDIDATE_PAYLOAD, PAYLOAD, Runner, find_cache
from pytest_itbench.session import WORKER_INPUT, usage_errors
from pytest_itbench.settings import Settings

LOG = logging.getLogger(__name__)
CRASHED = "???"
"""The phase that xdist gives to the report of an item whose worker died."""


class Controller:
    """The plugin object of the process that the user started."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config, self._settings, self._asking = config, settings, config.stash[ASKING]
        self._started = datetime.now(UTC)
        self._planned: dict[str, None] = {}
        self._ledger: Ledger | None = None
        self._candidates: LineFile | None = None
        self._summary: RunSummary | None = None
        self._files: dict[str, Path] = {}
        self._models = {model.label: model for model in settings.models}

    # --- before anything runs ----------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Look at all scenarios, the engine and the run's directory before the first worker starts."""
        paths = find_paths(self._config)
        refuse_outside(self._config.rootpath, paths)
        refuse_mistakes(paths, [*self._config.getini("norecursedirs"), *find_ignored(self._config)])
        if self._config.option.collectonly:
            return
        with usage_errors():
            provider = Runner.of(session.config).provider
        try:
            if not self._settings.generate:
                provider.sweep_orphans()
        except AttemptInvalid as trouble:
            raise pytest.UsageError(f"{trouble.message}; {trouble.hint}") from trouble
        with usage_errors():
            if self._settings.generate:
                self._candidates = LineFile(self._settings.run_directory / CANDIDATES)
            elif not self._settings.prove:
                self._ledger = Ledger(self._settings.run_directory)
            self._asking.start_servers(find_cache(), session.config.get_terminal_writer().line)

    def pytest_report_header(self) -> str:
        """One line on what is tried."""
        settings = self._settings
        if settings.prove:
            return "itbench: proving scenarios"
        models = ", ".join(self._models)
        attempts = f"{settings.attempts} attempt{'s' if settings.attempts > 1 else ''}"
        return f"itbench: {models}; {attempts} per scenario; results in {_shorten(settings.run_directory)}"

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker the run's name before it starts."""
        settings = self._settings
        node.workerinput[WORKER_INPUT] = {
            "run": settings.run,
            "owner": settings.owner,
            "record": settings.record,
            **self._asking.hand_over(),
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Free what a worker held of the gate when it went."""
        self._asking.gate.forget(node.gateway.id)

    # --- while it runs -----------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Remember what is planned, as a worker tells it; all workers tell the same."""
        self._plan(ids)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember what is planned, in a run without workers."""
        self._plan(item.nodeid for item in session.items if PLAN in item.stash)

    def _plan(self, ids: Iterable[str]) -> None:
        new = [nodeid for nodeid in ids if "/scenario.yaml::" in f"/{nodeid}" and nodeid not in self._planned]
        self._planned |= dict.fromkeys(new)
        self._asking.plan(self._identify, new)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Put an outcome on disk as soon as it arrives."""
        if self._candidates and hasattr(report, CANDIDATE_PAYLOAD):
            self._candidates.append(json.dumps(getattr(report, CANDIDATE_PAYLOAD), ensure_ascii=False))
        elif hasattr(report, PAYLOAD):
            self._record(wire.load(getattr(report, PAYLOAD)))
        elif str(report.when) == CRASHED and report.nodeid in self._planned:
            message = "the process that ran this attempt died"
            self._record(self._make_lost(report.nodeid, FailureKind.WORKER_LOST, message))

    def _record(self, outcome: Outcome) -> None:
        if self._ledger and self._ledger.add(outcome):
            self._config.hook.pytest_itbench_outcome(config=self._config, outcome=outcome)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Letters and words for verdicts, in pytest's own categories."""
        payload = getattr(report, PAYLOAD, None)
        if payload is None:
            return None
        return {
            Verdict.SOLVED: ("passed", ".", "SOLVED"),
            Verdict.MISSED: ("failed", "m", "MISSED"),
            Verdict.INVALID: ("error", "i", "INVALID"),
        }[Verdict(payload["verdict"])]

    # --- at the end --------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Account for every planned attempt, write the reports, remove what is left of the run."""
        try:
            if self._ledger:
                self._account(session, self._ledger)
        finally:
            for file in (self._candidates, self._ledger):
                if file:
                    file.close()
            self._asking.close()
            self._sweep()

    def _account(self, session: pytest.Session, ledger: Ledger) -> None:
        lost = [nodeid for nodeid in self._planned if self._find_key(nodeid) not in ledger]
        for nodeid in lost:
            self._record(self._make_lost(nodeid, FailureKind.NOT_RUN, "the run ended before this attempt"))
        if lost and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED  # a lost attempt is no success, whatever pytest has seen
        if ledger.outcomes:
            place = self._settings.run_directory
            self._summary = summarise(ledger.outcomes, self._describe_run())
            self._files = write_reports(self._summary, place, self._settings.reporters)
            self._config.hook.pytest_itbench_summary(config=self._config, summary=self._summary, directory=place)

    def _sweep(self) -> None:
        runner = Runner.of(self._config)
        if "provider" in vars(runner):
            try:
                runner.provider.close()
                runner.provider.sweep(self._settings.owner)
            except AttemptInvalid as trouble:
                LOG.warning("left behind by run %s: %s", self._settings.run, trouble)

    def _find_key(self, nodeid: str) -> AttemptKey:
        scenario, model, index = self._identify(nodeid)
        return AttemptKey(scenario=scenario.id, model=model.label, index=index)

    def _make_lost(self, nodeid: str, kind: FailureKind, message: str) -> Outcome:
        scenario, model, _ = self._identify(nodeid)
        return Outcome(
            key=self._find_key(nodeid),
            verdict=Verdict.INVALID,
            stage=Stage.CANDIDATE,
            kind=kind,
            message=message,
            domain=scenario.domain.value,
            difficulty=scenario.difficulty.value,
            tags=scenario.tags,
            level=model.level,
            started=datetime.now(UTC),
        )

    def _identify(self, nodeid: str) -> tuple[Scenario, ModelChoice, int]:
        path, _, name = nodeid.rpartition("::")
        label, index = parse_attempt_name(name)
        model = self._models[label] if label else self._settings.models[0]
        return load_scenario(self._config.rootpath / path), model, index

    def _describe_run(self) -> RunInfo:
        return RunInfo(
            run=self._settings.run,
            started=self._started,
            ended=datetime.now(UTC),
            version=version("pytest-itbench"),
            python_version=platform.python_version(),
            pytest_version=pytest.__version__,
            models=tuple(self._models),
            attempts=self._settings.attempts,
            ks=self._settings.ks,
            planned=len(self._planned),
            environment=self._settings.environment,
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table, and where the reports lie."""
        if self._candidates and self._candidates.lines:
            terminalreporter.section("itbench")
            text = f"{self._candidates.lines} of {len(self._planned)} candidates: {_shorten(self._candidates.path)}"
            terminalreporter.write_line(
                f"{text}; to judge them: --itbench-candidates={_shorten(self._candidates.path)}"
            )
        if self._summary is None:
            return
        writer = terminalreporter._tw  # noqa: SLF001  # the only way to the terminal's width and colour
        terminalreporter.section("itbench")
        terminalreporter.write_line(render_summary(self._summary, writer.fullwidth, colour=writer.hasmarkup))
        terminalreporter.write_line("")
        if spent := render_spent(self._asking.gate.report()):
            terminalreporter.write_line(spent)
        for name, path in self._files.items():
            terminalreporter.write_line(f"{name + ':':10}{_shorten(path)}")


def render_spent(spent: Mapping[str, float]) -> str:
    """What the run asked of providers, in a line; empty when nobody was asked."""
    if not spent["requests"]:
        return ""
    parts = [f"{spent['requests']} requests", f"{spent['tokens']} tokens", f"at most {spent['peak']} at once"]
    parts += [f"${spent['dollars']:.2f}"] if spent["dollars"] else []
    parts += [f"{spent['limited']} refused as too many"] if spent["limited"] else []
    return f"spent:    {', '.join(parts)}"


def find_paths(config: pytest.Config) -> list[Path]:
    """The files and directories that were given to pytest, or that its ini file names."""
    return [Path(config.invocation_params.dir, argument.partition("::")[0]) for argument in config.args]


def refuse_outside(root: Path, paths: Iterable[Path]) -> None:
    """See that every item gets a name of its own, which is its path below the root directory.

    Raises:
        pytest.UsageError: a path lies elsewhere.
    """
    for path in paths:
        if path.exists() and not path.resolve().is_relative_to(root.resolve()):
            problem = f"{path} lies outside pytest's root directory {root}"
            raise pytest.UsageError(f"{problem}, so that its items have no names of their own; give another --rootdir")


def find_ignored(config: pytest.Config) -> list[str]:
    """What --ignore and --ignore-glob exclude, as patterns of absolute paths."""
    given = [*(config.option.ignore or ()), *(config.option.ignore_glob or ())]
    return [os.path.normpath(config.invocation_params.dir / pattern) for pattern in given]


def refuse_mistakes(paths: Iterable[Path], skip: list[str]) -> None:
    """Load every scenario that pytest is going to meet.

    Raises:
        pytest.UsageError: one line for each thing that is wrong.
    """
    scenarios: list[Scenario] = []
    mistakes: list[UserMistake] = []
    for file in sorted({file for path in paths for file in find_scenario_files(path, skip)}):
        try:
            scenarios.append(load_scenario(file))
        except BrokenScenario as broken:
            mistakes += broken.mistakes
    mistakes += find_duplicates(scenarios)
    if mistakes:
        raise pytest.UsageError("\n".join(_relative(str(mistake)) for mistake in mistakes))


def _relative(text: str) -> str:
    return text.replace(f"{Path.cwd()}/", "")


def _shorten(path: Path) -> str:
    return _relative(str(path))
