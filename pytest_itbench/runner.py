"""What runs in each process that runs items: shared things of the process, and from a test report to an outcome."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench import wire
from pytest_itbench.asking import ASKING, locate
from pytest_itbench.collection import CANDIDATE, DONE, MINE, PLAN, find_left_out
from pytest_itbench.domain.candidate import ModelChoice
from pytest_itbench.domain.outcome import Outcome, Verdict
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.admission import leased
from pytest_itbench.environments.base import Ground, ProviderOptions
from pytest_itbench.environments.routing import Admissions, ForOne, Providers
from pytest_itbench.errors import AttemptInvalid
from pytest_itbench.models.base import Model
from pytest_itbench.models.choice import count_at_once
from pytest_itbench.models.gated import Gated
from pytest_itbench.models.recording import RecordMode, make_recorded
from pytest_itbench.once import once_property
from pytest_itbench.reporting.wording import printable
from pytest_itbench.running import Attempt
from pytest_itbench.session import find_handed
from pytest_itbench.settings import Settings
from pytest_itbench.sharing import Address, Shared, reach_shared
from pytest_itbench.validation.needs import find_missing_tool

LOG = logging.getLogger(__name__)
ADMISSIONS = pytest.StashKey[Admissions]()
ATTEMPT = pytest.StashKey[Attempt]()
PAYLOAD = "itbench"
"""The attribute by which a report carries its outcome, as builtins, from a worker to the controller."""
NOT_NEEDED = "it cannot change what the gates say"
CANNOT = "cannot be tried here"
CANDIDATE_PAYLOAD = "itbench_candidate"
"""The same for a candidate that is not judged."""


def find_cache() -> Path:
    """Where this user's processes share locks."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "pytest-itbench")


class Runner:
    """The plugin object of a process that runs items."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config, self.settings = config, settings
        self._models: dict[tuple[str, str, str], Model] = {}
        self._warmed: set[str] = set()
        self._warmer = ThreadPoolExecutor(1, thread_name_prefix="itbench-warm")
        self.worker = getattr(config, "workerinput", {}).get("workerid", "main")

    @classmethod
    def of(cls, config: pytest.Config) -> Runner:
        """The one of this process."""
        runner = config.pluginmanager.get_plugin("itbench-runner")
        assert isinstance(runner, Runner)
        return runner

    @once_property
    def providers(self) -> Providers:
        """This process's providers of environments."""
        settings = self.settings
        options = ProviderOptions(
            cache=find_cache(),
            owner=settings.owner,
            docker_hosts=settings.docker_hosts,
            reached=find_handed(self.config).get("places", {}),
            network_pools=settings.network_pools,
            capacity=settings.capacity,
            kubeconfig=settings.kubeconfig,
            context=settings.context,
            cluster=settings.cluster,
            registry=settings.registry,
        )
        return Providers(options, settings.environment)

    @once_property
    def shared(self) -> Shared:
        """What there is one of in the run; it may be in another process."""
        address = find_handed(self.config).get("shared")
        if address:
            return reach_shared(Address(**address))
        asking = self.config.stash[ASKING]
        return Shared(self.config.stash[ADMISSIONS], asking.gate, asking.dispatcher.fetch, asking.early_stop)

    @contextmanager
    def lease(self, scenario: Scenario) -> Iterator[str]:
        """A place with room for one attempt's machines.

        Raises:
            NoRoom: no place is large enough.
        """
        providers = self.providers
        admission = ForOne(self.shared.admissions, providers.name(scenario))
        with leased(admission, self.worker, providers.of(scenario).measure(scenario)) as place:
            yield place

    def make_ground(self, attempt: Attempt) -> Ground:
        """What an attempt's machines belong to."""
        return Ground(run=self.settings.run, key=attempt.key, owner=self.settings.owner, worker=self.worker)

    def warm(self, scenario: Scenario) -> None:
        """Make ready in the background what all attempts at a scenario start from, while a model is asked."""
        if scenario.id not in self._warmed and not self.settings.generate:
            self._warmed.add(scenario.id)
            self._warmer.submit(self._warm, scenario)

    def _warm(self, scenario: Scenario) -> None:
        try:
            with self.lease(scenario) as place:
                self.providers.of(scenario).warm(scenario, place)
        except AttemptInvalid as trouble:  # its first attempt will meet it again, and tell
            LOG.debug("warming %s: %s", scenario.id, trouble)

    def find_missing(self, scenario: Scenario) -> str:
        """Why a scenario cannot be tried here; empty when it can."""
        if self.settings.generate:
            return ""
        return find_missing_tool(scenario) or self.providers.find_missing(scenario)

    def find_model(self, choice: ModelChoice) -> Model:
        """The model, made once per process: its connections serve all attempts."""
        key = (choice.label, choice.kind, choice.name)
        if key not in self._models:
            handed = find_handed(self.config)
            urls = handed["servers"] if handed else self.config.stash[ASKING].urls
            mode = RecordMode(self.settings.record)
            fetch = self._fetch if count_at_once(choice) else None
            located = locate(choice, urls)
            self._models[key] = make_recorded(located, self.settings.recordings, mode, self._put_behind_gate, fetch)
        return self._models[key]

    def _put_behind_gate(self, model: Model) -> Model:
        """The model, asked in turn with all others of the run."""
        return Gated(model, self.shared.gate, self.worker, self.settings.retries)

    def _fetch(self, scenario: str, model: str, index: int, digest: str) -> bool:
        return self.shared.fetch(scenario, model, index, digest)

    def begin(self, item: pytest.Item, scenario: Scenario) -> Attempt:
        """Start to keep record of an item's attempt."""
        plan = item.stash[PLAN]
        attempt = item.stash[ATTEMPT] = Attempt(
            scenario=scenario,
            model=plan.model,
            index=plan.index,
            place=self.settings.run_directory,
            worker=self.worker,
            kept=frozenset(map(Verdict, self.settings.keep)),
        )
        return attempt

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what other shards run, and what a resumed run has."""
        left_out = find_left_out(items, self.settings.shard, config.stash[DONE], config.stash[MINE])
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            gone = set(left_out)
            items[:] = [item for item in items if item not in gone]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave out what cannot be tried here, and what cannot change what the gates say."""
        if PLAN in item.stash and (missing := self.find_missing(item.stash[PLAN].scenario)):
            pytest.skip(f"{CANNOT}: {missing}")
        if self.settings.early_stop and PLAN in item.stash:
            stop = self.shared.stop
            if stop and stop.is_settled(item.stash[PLAN].model.label):
                pytest.skip(NOT_NEEDED)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the outcome to the report of the phase in which the attempt ended."""
        outcome = self._find_outcome(item, call)
        if outcome and not self.settings.prove:
            item.user_properties += describe_properties(outcome)
        if outcome and call.excinfo:
            if outcome.verdict is Verdict.INVALID and _is_plain(call.excinfo.value):
                call.excinfo = make_plain(render_invalid(outcome))
            elif isinstance(call.excinfo.value, pytest.fail.Exception):  # a miss; its text says all
                call.excinfo = make_plain(str(call.excinfo.value))
        report = yield
        if CANDIDATE in item.stash and call.when == "call":
            setattr(report, CANDIDATE_PAYLOAD, item.stash[CANDIDATE])
        if outcome is None:
            return report
        if outcome.verdict is Verdict.INVALID:
            report.when = "setup"  # pytest and JUnit call a failure of any other phase than the call an error
        if not (self.settings.prove or self.settings.generate):
            setattr(report, PAYLOAD, wire.dump(outcome))
            self._add_extras(report, outcome)
        return report

    def _find_outcome(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Outcome | None:
        """The outcome, if the attempt ended in this phase."""
        if PLAN not in item.stash or call.when == "teardown":
            return None
        error = call.excinfo.value if call.excinfo else None
        attempt = item.stash.get(ATTEMPT, None)
        if error is None:
            return attempt.outcome if attempt and call.when == "call" else None
        if isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)) or str(error).startswith((NOT_NEEDED, CANNOT)):
            return None
        if attempt is None:
            attempt = self.begin(item, item.stash[PLAN].scenario)
        return attempt.outcome or attempt.end_invalid(error)

    def _add_extras(self, report: pytest.TestReport, outcome: Outcome) -> None:
        """Links to the evidence for pytest-html, when it is in use."""
        if self.config.getoption("htmlpath", None):
            from pytest_html import extras

            place = self.settings.run_directory
            links = [extras.url((place / path).as_uri(), name=what) for what, path in outcome.evidence.items()]
            known: list[Any] = getattr(report, "extras", [])
            report.extras = [*known, *links]  # type: ignore[attr-defined]  # pytest-html's own way

    def stop_warming(self) -> None:
        """Begin nothing more in the background; returns when what was begun is done."""
        self._warmer.shutdown(wait=True, cancel_futures=True)

    def pytest_sessionfinish(self) -> None:
        """Wait for removals that were begun; they would die with this process."""
        self.stop_warming()
        if "providers" in vars(self):
            try:
                self.providers.close()
            except AttemptInvalid as trouble:
                LOG.warning("left behind by run %s: %s", self.settings.run, trouble)


def describe_properties(outcome: Outcome) -> list[tuple[str, object]]:
    """An outcome as JUnit properties."""
    facts: dict[str, object] = {
        "scenario": outcome.key.scenario,
        "model": outcome.key.model,
        "attempt": outcome.key.index,
        "verdict": str(outcome.verdict),
        "stage": str(outcome.stage),
        "kind": str(outcome.kind or ""),
        "score": "" if outcome.score is None else round(outcome.score, 4),
        "domain": outcome.domain,
        "difficulty": outcome.difficulty,
        "level": outcome.level,
    }
    facts |= {f"check.{check.name}": "passed" if check.passed else "failed" for check in outcome.checks}
    facts |= {f"seconds.{stage}": seconds for stage, seconds in outcome.timings.items()}
    return [(f"itbench.{name}", value) for name, value in facts.items()]


def _is_plain(error: BaseException) -> bool:
    """Whether an error is told without traceback; those that are no Exception would mean something else to pytest."""
    return isinstance(error, AttemptInvalid) or not isinstance(error, Exception)


def make_plain(text: str) -> pytest.ExceptionInfo[BaseException]:
    """A failure that pytest shows as its text alone, without a traceback and without what would act on a terminal."""
    try:
        pytest.fail(printable(text), pytrace=False)
    except pytest.fail.Exception as failure:
        return pytest.ExceptionInfo.from_exception(failure)


def render_invalid(outcome: Outcome) -> str:
    """What pytest prints of an invalid attempt."""
    hint = f"\nhint: {outcome.hint}" if outcome.hint else ""
    return f"invalid, {outcome.kind}: {outcome.message}{hint}"
