"""Entry point. It sits in every pytest start of the machine it is installed on, so it imports next to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_itbench import hookspecs
from pytest_itbench.options import is_active, register_options

SCENARIO_FILE = "scenario.yaml"
PASSED_OVER = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    register_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load everything else, when there is something to do."""
    if config.option.help or not is_active(config):
        return
    from pytest_itbench.session import activate

    activate(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Turn a scenario into items; without a model, count it for the hint."""
    if file_path.name != SCENARIO_FILE:
        return None
    if is_active(parent.config):
        from pytest_itbench.collection import ScenarioFile

        return ScenarioFile.from_parent(parent, path=file_path)
    parent.config.stash[PASSED_OVER] = parent.config.stash.get(PASSED_OVER, 0) + 1
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say why scenarios were passed over."""
    count = config.stash.get(PASSED_OVER, 0)
    if count:
        files = f"{count} scenario file{'s' if count > 1 else ''}"
        terminalreporter.write_line(f"pytest-itbench: {files} passed over; to try a model: --itbench-model=oracle")
