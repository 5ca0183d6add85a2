"""The one process that keeps the ledger: outcomes as they arrive, what was lost, reports, the table at the end."""

from __future__ import annotations

import json
import logging
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench import wire
from pytest_itbench.asking import ASKING
from pytest_itbench.collection import DONE, MINE, PLAN, parse_attempt_name
from pytest_itbench.deciding import Deciding, find_status
from pytest_itbench.domain.candidate import ModelChoice
from pytest_itbench.domain.outcome import AttemptKey, FailureKind, Outcome, Verdict
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.base import EnvironmentProvider
from pytest_itbench.errors import AttemptInvalid, OptionMistake
from pytest_itbench.ledger import CANDIDATES, Ledger, LineFile
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.gates import Ends
from pytest_itbench.metrics.summary import RunInfo, RunSummary, ScenarioInfo
from pytest_itbench.options import list_given
from pytest_itbench.progress import Progress
from pytest_itbench.redaction import redact
from pytest_itbench.reporting.closing import render_closing, render_untried
from pytest_itbench.reporting.files import write_reports
from pytest_itbench.reporting.terminal import render_summary
from pytest_itbench.runner import ADMISSIONS, CANDIDATE_PAYLOAD, CANNOT, NOT_NEEDED, PAYLOAD, Runner, find_cache
from pytest_itbench.running import make_lost
from pytest_itbench.runs import (
    StoredRun,
    describe_choice,
    describe_scenario,
    read_run,
    refuse_changed,
    refuse_other_models,
    write_info,
)
from pytest_itbench.scenario_paths import find_scenarios, load_collected, shorten_path
from pytest_itbench.session import WORKER_INPUT, usage_errors
from pytest_itbench.settings import Settings
from pytest_itbench.sharing import serve_shared

LOG = logging.getLogger(__name__)
PAGE_WIDTH = 120
"""Columns of the table on pytest-html's page."""
CRASHED = "???"
"""The phase that xdist gives to the report of an item whose worker died."""


class Controller:
    """The plugin object of the process that the user started."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config, self._settings, self._asking = config, settings, config.stash[ASKING]
        self._started = datetime.now(UTC)
        self._given = {name: tuple(map(redact, texts)) for name, texts in list_given(config).items()}
        self._planned: dict[str, None] = {}
        self._ledger: Ledger | None = None
        self._candidates: LineFile | None = None
        self._summary: RunSummary | None = None
        self._files: dict[str, Path] = {}
        self._models = {model.label: model for model in settings.models}
        self._earlier: StoredRun | None = None
        self._unsettled: dict[AttemptKey, Outcome] = {}
        self._begun = False
        self._foreign = False
        self._left_out: set[str] = set()
        self._untried: Counter[str] = Counter()
        self._progress = Progress(config, self._asking.gate.report)
        config.pluginmanager.register(self._progress, "itbench-progress")
        self._directories: dict[str, Path] = {}
        self._sharing = ExitStack()
        self._swept: list[EnvironmentProvider] = []
        self._handed: dict[str, Any] = {}
        self._reached: dict[str, str] = {}
        with usage_errors():
            self._deciding = Deciding(settings)

    # --- before anything runs ----------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Look at all scenarios, the engine and the run's directory before the first worker starts."""
        found = find_scenarios(self._config)
        self._directories = {scenario.id: scenario.directory for scenario in found}
        if self._config.option.collectonly:
            return
        try:
            if not self._settings.generate:
                self._sweep_orphans(found)
        except AttemptInvalid as trouble:
            raise pytest.UsageError(f"{trouble.message}; {trouble.hint}") from trouble
        with usage_errors():
            if self._settings.generate:
                self._candidates = LineFile(self._settings.run_directory / CANDIDATES)
            elif not self._settings.prove:
                self._ledger = self._begin_ledger()
            reporter = self._config.pluginmanager.get_plugin("terminalreporter")
            self._asking.start_servers(find_cache(), reporter.write_line if reporter else LOG.info)

    def _sweep_orphans(self, scenarios: Sequence[Scenario]) -> None:
        """See that the engines answer, and remove what killed runs left there; a cluster is looked at when it is used.

        Raises:
            AttemptInvalid: an engine does not answer.
        """
        with usage_errors():
            providers = Runner.of(self._config).providers
            self._swept = providers.find_needed(each for each in scenarios if each.hosts)
        for provider in self._swept:
            provider.sweep_orphans()
            self._reached |= provider.hand_over()

    def _begin_ledger(self) -> Ledger:
        if not self._settings.resume:
            return Ledger(self._settings.run_directory)
        self._earlier = earlier = read_run(self._settings.resume)
        valid = [outcome for outcome in earlier.outcomes if outcome.verdict is not Verdict.INVALID]
        self._unsettled = {o.key: o for o in earlier.outcomes if o.verdict is Verdict.INVALID}
        self._config.stash[DONE] = frozenset(outcome.key for outcome in valid)
        if self._settings.shard:
            self._config.stash[MINE] = frozenset(scenario.id for scenario in earlier.info.scenarios)
        return Ledger(self._settings.run_directory, valid)

    def pytest_report_header(self) -> str:
        """One line on what is tried."""
        settings = self._settings
        if settings.prove:
            return "itbench: proving scenarios"
        models = ", ".join(self._models)
        attempts = f"{settings.attempts} attempt{'s' if settings.attempts > 1 else ''}"
        return f"itbench: {models}; {attempts} per scenario; results in {shorten_path(settings.run_directory)}"

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker the run's name before it starts."""
        settings = self._settings
        node.workerinput[WORKER_INPUT] = {
            "run": settings.run,
            "owner": settings.owner,
            "record": settings.record,
            "mine": sorted(self._config.stash[MINE] or ()),
            "done": [(key.scenario, key.model, key.index) for key in self._config.stash[DONE]],
            **self._hand_over(),
        }

    def _hand_over(self) -> dict[str, Any]:
        """Where workers find what there is one of in the run."""
        if not self._handed:
            asking, admissions = self._asking, self._config.stash[ADMISSIONS]
            serving = serve_shared(admissions, asking.gate, asking.dispatcher, asking.early_stop)
            self._handed = {
                "shared": asdict(self._sharing.enter_context(serving)),
                "servers": asking.urls,
                "places": self._reached,
            }
        return self._handed

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Free what a worker held of the gate when it went."""
        self._asking.gate.forget(node.gateway.id)
        self._config.stash[ADMISSIONS].forget(node.gateway.id)

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
        if self._ledger and (new or (self._earlier and not self._begun)):
            self._begin()
        self._asking.plan(map(self._identify, new), Runner.of(self._config).find_missing)
        if self._ledger and new:
            self._progress.begin({nodeid: self._find_key(nodeid).model for nodeid in new})

    def _begin(self) -> None:
        """Say on disk how the run is made, before its first attempt; or see that it must not be made.

        Raises:
            pytest.UsageError: gates, baseline or the run to go on with do not fit.
        """
        self._begun, info = True, self._describe_run()
        scenarios = {scenario.id: scenario for scenario in (self._identify(nodeid)[0] for nodeid in self._planned)}
        try:
            if self._earlier:
                refuse_changed(self._earlier.info, info)
                refuse_other_models(self._earlier.info, info)
                known = [each.id for each in self._earlier.info.scenarios if each.id in self._directories]
                scenarios |= {name: load_scenario(self._directories[name] / "scenario.yaml") for name in known}
            self._deciding.refuse_unfit(info, scenarios.values())
        except OptionMistake as mistake:
            if self._ledger:
                self._ledger.close()
            self._ledger = None  # nothing was run, so that there is nothing to account for
            raise pytest.UsageError(str(mistake)) from mistake
        write_info(self._settings.run_directory, info)
        if self._asking.early_stop:
            for outcome in self._ledger.outcomes if self._ledger else ():
                self._asking.early_stop.add(outcome)
            planned = ((self._find_key(nodeid), self._identify(nodeid)[0]) for nodeid in self._planned)
            self._asking.early_stop.plan(info, planned)

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
        elif report.skipped and report.nodeid in self._planned and NOT_NEEDED in str(report.longrepr):
            self._left_out.add(report.nodeid)
        elif report.skipped and report.nodeid in self._planned and CANNOT in str(report.longrepr):
            reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self._untried[reason.partition(f"{CANNOT}: ")[2]] += 1
            del self._planned[report.nodeid]
        elif report.failed:
            self._foreign = True

    def _record(self, outcome: Outcome, *, tell: bool = True) -> None:
        if self._ledger and self._ledger.add(outcome):
            if self._asking.early_stop:
                self._asking.early_stop.add(outcome)
            if tell:
                self._config.hook.pytest_itbench_outcome(config=self._config, outcome=outcome)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Letters and words for verdicts, in pytest's own categories."""
        payload = getattr(report, PAYLOAD, None)
        if payload is None:
            return None
        category, letter, word = {
            Verdict.SOLVED: ("passed", ".", "SOLVED"),
            Verdict.MISSED: ("failed", "m", "MISSED"),
            Verdict.INVALID: ("error", "i", "INVALID"),
        }[Verdict(payload["verdict"])]
        return category, "" if self._progress.shows_display else letter, word

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
            self._sharing.close()
            self._sweep()

    def _account(self, session: pytest.Session, ledger: Ledger) -> None:
        known = (nodeid for nodeid in self._planned if nodeid not in self._left_out)
        lost = [nodeid for nodeid in known if self._find_key(nodeid) not in ledger]
        broken = session.exitstatus == pytest.ExitCode.INTERNAL_ERROR  # maybe by a listener, who would fail again
        for nodeid in lost:
            outcome = self._make_lost(nodeid, FailureKind.NOT_RUN, "the run ended before this attempt")
            self._record(outcome, tell=not broken)
        outcomes = (*ledger.outcomes, *(outcome for key, outcome in self._unsettled.items() if key not in ledger))
        if outcomes:
            place, info = self._settings.run_directory, self._describe_run()
            write_info(place, info)
            with usage_errors():
                self._summary = self._deciding.decide(summarise(outcomes, info), self._find_ends(), len(self._left_out))
            self._files = write_reports(self._summary, place, self._settings.reporters)
            self._config.hook.pytest_itbench_summary(config=self._config, summary=self._summary, directory=place)
            session.exitstatus = self._find_status(int(session.exitstatus), self._summary)

    def _find_ends(self) -> dict[str, Ends]:
        """By model whose attempts were left out, what they could have made of its results."""
        stop = self._asking.early_stop
        models = {self._find_key(nodeid).model for nodeid in self._left_out}
        return {model: stop.find_ends(model) for model in models} if stop else {}

    def _find_status(self, seen: int, summary: RunSummary) -> int:
        all_done = not summary.lost and not summary.totals.invalid
        nothing_new = seen == pytest.ExitCode.NO_TESTS_COLLECTED and self._earlier is not None and all_done
        if nothing_new or seen == pytest.ExitCode.OK:
            # What pytest has not seen fails a run all the same: what was lost, and what a resumed run has from before.
            seen = int(pytest.ExitCode.TESTS_FAILED if summary.totals.solved < summary.totals.total else 0)
        return find_status(seen, summary.decision, foreign=self._foreign)

    def _sweep(self) -> None:
        runner = Runner.of(self._config)
        if "providers" in vars(runner):
            runner.stop_warming()
            try:
                runner.providers.sweep(self._settings.owner)
                for provider in self._swept:  # a killed run's workers outlive it by seconds, and may start things
                    provider.sweep_orphans()
                runner.providers.close()
            except AttemptInvalid as trouble:
                LOG.warning("left behind by run %s: %s", self._settings.run, trouble)

    def _find_key(self, nodeid: str) -> AttemptKey:
        scenario, model, index = self._identify(nodeid)
        return AttemptKey(scenario=scenario.id, model=model.label, index=index)

    def _make_lost(self, nodeid: str, kind: FailureKind, message: str) -> Outcome:
        scenario, model, _ = self._identify(nodeid)
        return make_lost(self._find_key(nodeid), scenario, model, kind, message)

    def _identify(self, nodeid: str) -> tuple[Scenario, ModelChoice, int]:
        path, _, name = nodeid.rpartition("::")
        label, index = parse_attempt_name(name)
        model = self._models[label] if label else self._settings.models[0]
        return load_collected(self._config, path), model, index

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
            planned=self._count_planned(),
            environment=self._settings.environment,
            shard=self._settings.shard,
            choices=tuple(describe_choice(choice) for choice in self._settings.models),
            scenarios=self._describe_scenarios(),
            given=self._given,
        )

    def _count_planned(self) -> int:
        """Attempts that the run is to make, with those that a resumed run was to make before."""
        planned = {self._find_key(nodeid) for nodeid in self._planned if nodeid not in self._left_out}
        every = {*planned, *self._config.stash[DONE], *(self._unsettled.keys() - self._left_out_keys)}
        before = self._earlier.info.planned - len(self._left_out_keys) if self._earlier else 0
        return max(before, len(every))

    @property
    def _left_out_keys(self) -> set[AttemptKey]:
        return {self._find_key(nodeid) for nodeid in self._left_out}

    def _describe_scenarios(self) -> tuple[ScenarioInfo, ...]:
        """What is planned, and what was tried before, both as they are now where they can be found."""
        known = {scenario.id: scenario for scenario in (self._earlier.info.scenarios if self._earlier else ())}
        directories = list(dict.fromkeys(self._identify(nodeid)[0].directory for nodeid in self._planned))
        directories += [self._directories[name] for name in known if name in self._directories]
        known |= {scenario.id: scenario for scenario in map(describe_scenario, directories)}
        return tuple(known[name] for name in sorted(known))

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put the table and the decision at the head of pytest-html's page."""
        if self._summary:
            prefix.append(f"<pre>{escape(render_summary(self._summary, PAGE_WIDTH, colour=False))}</pre>")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table, and where the reports lie."""
        if self._candidates and self._candidates.lines:
            terminalreporter.section("itbench")
            count, path = self._candidates.lines, shorten_path(self._candidates.path)
            text = f"{count} of {len(self._planned)} candidates: {path}; to judge them: --itbench-candidates={path}"
            terminalreporter.write_line(text)
        writer = terminalreporter._tw  # noqa: SLF001  # the only way to the terminal's width and colour
        untried = list(render_untried(self._untried, writer.fullwidth))
        if untried or self._summary:
            terminalreporter.section("itbench")
        for line in untried:
            terminalreporter.write_line(line)
        if self._summary:
            outcomes = self._ledger.outcomes if self._ledger else ()
            files = {name: shorten_path(path) for name, path in self._files.items()}
            closing = render_closing(self._asking.gate.report(), files, outcomes, self._settings.run_directory)
            text = render_summary(self._summary, writer.fullwidth, colour=writer.hasmarkup)
            for line in (text, "", *closing):
                terminalreporter.write_line(line)
