"""What a run was pointed at: the paths that were given to pytest, and the scenarios there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.errors import BrokenScenario, UserMistake
from pytest_itbench.loading.scenario import FILE_NAME, find_duplicates, find_scenario_files, load_scenario
from pytest_itbench.session import SETTINGS

OVERLAY = pytest.StashKey[Mapping[str, Path]]()


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


def find_scenarios(config: pytest.Config) -> list[Scenario]:
    """All scenarios that pytest is going to meet.

    Raises:
        pytest.UsageError: one line for each thing that is wrong.
    """
    paths = find_paths(config)
    refuse_outside(config.rootpath, paths)
    skip = [*config.getini("norecursedirs"), *find_ignored(config)]
    return refuse_mistakes(paths, skip, find_overlay(config))


def find_overlay(config: pytest.Config) -> Mapping[str, Path]:
    """By id the ``scenario.yaml`` that takes the place of another.

    Raises:
        pytest.UsageError: one line for each thing that is wrong.
    """
    if OVERLAY not in config.stash:
        place = config.stash[SETTINGS].overlay
        found = refuse_mistakes([place], []) if place else []
        config.stash[OVERLAY] = {scenario.id: scenario.directory / FILE_NAME for scenario in found}
    return config.stash[OVERLAY]


def load_collected(config: pytest.Config, path: Path | str) -> Scenario:
    """The scenario of a file below pytest's root directory, or the one that takes its place.

    Raises:
        BrokenScenario
    """
    return _load_overlaid(config.rootpath / path, find_overlay(config))


def _load_overlaid(path: Path, overlay: Mapping[str, Path]) -> Scenario:
    scenario = load_scenario(path)
    return load_scenario(overlay.get(scenario.id, path))


def refuse_mistakes(
    paths: Iterable[Path], skip: list[str], overlay: Mapping[str, Path] | None = None
) -> list[Scenario]:
    """Load every scenario that pytest is going to meet, and give them.

    Raises:
        pytest.UsageError: one line for each thing that is wrong.
    """
    scenarios: list[Scenario] = []
    mistakes: list[UserMistake] = []
    for file in sorted({file for path in paths for file in find_scenario_files(path, skip)}):
        try:
            scenarios.append(_load_overlaid(file, overlay or {}))
        except BrokenScenario as broken:
            mistakes += broken.mistakes
    mistakes += find_duplicates(scenarios)
    if mistakes:
        raise pytest.UsageError("\n".join(make_relative(str(mistake)) for mistake in mistakes))
    return scenarios


def make_relative(text: str) -> str:
    """A text in which paths below the working directory are shortened."""
    return text.replace(f"{Path.cwd()}/", "")


def shorten_path(path: Path) -> str:
    """A path as a person would type it here."""
    return make_relative(str(path))
