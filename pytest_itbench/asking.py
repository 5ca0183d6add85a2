"""What a run asks of its models: servers for them, one gate, and requests that are sent ahead of need.

All of it lives in the process that the user started; workers are told how to reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_itbench.domain.candidate import ModelChoice, Request
from pytest_itbench.domain.outcome import AttemptKey
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.early_stop import EarlyStop
from pytest_itbench.models.base import Model
from pytest_itbench.models.choice import count_at_once, find_server
from pytest_itbench.models.dispatcher import Dispatcher, Planned
from pytest_itbench.models.gate import Gate
from pytest_itbench.models.gated import Gated
from pytest_itbench.models.recording import RecordMode, hash_request, make_recorded
from pytest_itbench.settings import Settings
from pytest_itbench.solvers.prompt import render_prompt

if TYPE_CHECKING:
    from pytest_itbench.models.server import ModelServer  # it needs an HTTP library that is not always there

ASKING = pytest.StashKey["Asking"]()
CONFTEST = "conftest.py"
Attempt = tuple[Scenario, ModelChoice, int]


class Asking:
    """The run's gate, dispatcher and servers.

    Attributes:
        early_stop: which attempts are not needed; None unless that was asked for.
        urls: the addresses of the servers that the run started, by their models' labels.
    """

    def __init__(self, settings: Settings, root: Path) -> None:
        self._settings, self._root = settings, root
        self.gate = Gate(settings.concurrency, settings.budget)
        self.dispatcher = Dispatcher(settings.concurrency)
        self.early_stop = EarlyStop(settings.gates) if settings.early_stop else None
        self.urls: dict[str, str] = {}
        self._servers: dict[tuple[str, str], ModelServer] = {}
        self._models: dict[str, Model] = {}
        self._closing = ExitStack()
        self._closing.callback(self.dispatcher.close)

    @property
    def _asks(self) -> bool:
        return not self._settings.prove and self._settings.record != RecordMode.NONE

    def start_servers(self, cache_directory: Path, tell: Callable[[str], None]) -> None:
        """Start what the models need, one server for all that differ in their sampling alone; all start at once.

        Raises:
            ServerFailed, OptionMistake: one of them does not start.
        """
        choices = self._settings.models if self._asks else ()
        serving = [(choice, serve) for choice in choices if (serve := find_server(choice))]
        launches = {(choice.kind, choice.name): serve(choice, cache_directory) for choice, serve in serving}
        for number, (name, launch) in enumerate(launches.items(), start=1):
            from pytest_itbench.models.server import ModelServer

            log = self._settings.run_directory / f"server-{number}.log"
            self._servers[name] = server = ModelServer(launch, log)
            self._closing.callback(server.stop)
        for server in self._servers.values():
            server.wait(tell)
        self.urls = {choice.label: self._servers[choice.kind, choice.name].url for choice, _ in serving}

    def plan(self, attempts: Iterable[Attempt], find_missing: Callable[[Scenario], str]) -> None:
        """Say which attempts are coming; some of their requests may be sent ahead.

        Nothing is asked for attempts that are going to be skipped: `find_missing` says why a scenario cannot be tried.
        """
        if not self._asks or not any(count_at_once(choice) for choice in self._settings.models):
            return
        self.dispatcher.plan(
            self._plan_request(scenario, choice, index)
            for scenario, choice, index in attempts
            if count_at_once(choice) and not find_missing(scenario)
        )

    def _plan_request(self, scenario: Scenario, choice: ModelChoice, index: int) -> Planned:
        """The request of an attempt whose fixtures are the usual ones."""

        def write() -> Request:
            prompt = render_prompt(scenario, choice.level, choice.system)
            return Request(scenario=scenario, index=index, prompt=prompt)

        return Planned(
            key=AttemptKey(scenario=scenario.id, model=choice.label, index=index),
            group=find_conftests(scenario.directory, self._root),
            at_once=count_at_once(choice),
            identify=lambda: hash_request(choice, write()),
            ask=lambda: self._find_model(choice).ask(write()),
        )

    def _find_model(self, choice: ModelChoice) -> Model:
        if choice.label not in self._models:
            located, mode = locate(choice, self.urls), RecordMode(self._settings.record)
            watch = self._servers.get((choice.kind, choice.name))

            def wrap(model: Model) -> Model:
                return Gated(_watch(model, watch), self.gate, "dispatcher", self._settings.retries)

            self._models[choice.label] = make_recorded(located, self._settings.recordings, mode, wrap)
        return self._models[choice.label]

    def close(self) -> None:
        """Send nothing more, end the servers."""
        self._closing.close()


def _watch(model: Model, server: ModelServer | None) -> Model:
    if server is None:
        return model
    from pytest_itbench.models.served import Watched

    return Watched(model, server)


def locate(choice: ModelChoice, urls: dict[str, str]) -> ModelChoice:
    """The choice with the address of its server, if the run started one."""
    url = urls.get(choice.label)
    return replace(choice, options={**choice.options, "base_url": f"{url}/v1"}) if url else choice


@cache
def find_conftests(directory: Path, root: Path) -> tuple[Path, ...]:
    """The files whose fixtures the items of a directory see: what they do with the one, they do with all."""
    above = [place for place in (directory, *directory.parents) if place.is_relative_to(root)]
    return tuple(place / CONFTEST for place in above if (place / CONFTEST).is_file())
