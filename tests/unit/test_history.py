"""The index of stored runs and what it says."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_itbench import wire
from pytest_itbench.domain.outcome import Outcome, Usage, Verdict
from pytest_itbench.errors import OptionMistake
from pytest_itbench.history import (
    ConstantScenario,
    find_constant_scenarios,
    find_course_of_models,
    find_course_of_scenario,
    list_unreadable,
)
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.summary import ModelInfo, ScenarioInfo
from pytest_itbench.reporting.history_text import describe_history
from pytest_itbench.run_index import INDEX, refresh_index
from pytest_itbench.runs import read_run, write_info
from pytest_itbench.testing import outcomes as made

HOSTILE = "a'; DROP TABLE runs; --\x1b[31m\x00\"[bold]\n"
Tried = dict[str, dict[str, str]]
"""Letters by model and scenario."""


def make_attempts(scenario: str, letters: str, *, model: str) -> list[Outcome]:
    """One attempt per letter: s(olved), m(issed) or i(nvalid)."""
    return made.make_attempts(scenario, letters, model=model, usage=Usage(requests=1, cost=0.25))


def store_run(reports: Path, name: str, tried: Tried, *, day: int = 0, task: str = "1") -> Path:
    """Write a run as pytest-itbench leaves it, so many days after the first."""
    outcomes = [
        outcome
        for model, scenarios in tried.items()
        for scenario, letters in scenarios.items()
        for outcome in make_attempts(scenario, letters, model=model)
    ]
    started = made.START + timedelta(days=day)
    info = made.make_info(
        *tried,
        run=name,
        started=started,
        ended=started + timedelta(seconds=90),
        ks=(1,),
        planned=len(outcomes),
        environment="fake",
        choices=tuple(
            ModelInfo(label=model, kind=model if model in ("oracle", "noop") else "openai", name=f"{model}-1", level=2)
            for model in tried
        ),
        scenarios=tuple(
            ScenarioInfo(id=scenario, task=task, validators="v")
            for scenario in sorted({scenario for scenarios in tried.values() for scenario in scenarios})
        ),
    )
    directory = reports / name
    directory.mkdir(parents=True, exist_ok=True)
    write_info(directory, info)
    (directory / "outcomes.jsonl").write_text("".join(f"{wire.dump_line(outcome)}\n" for outcome in outcomes), "utf-8")
    return directory


def list_runs(index: Path) -> list[str]:
    return [point.run for point in find_course_of_models(index)]


# The index


def test_a_refresh_adds_new_runs_and_drops_vanished_ones(tmp_path: Path) -> None:
    """The index follows the directories, in the order in which runs began."""
    store_run(tmp_path, "late", {"x": {"a": "s"}}, day=1)
    assert list_runs(refresh_index(tmp_path)) == ["late"]
    store_run(tmp_path, "early", {"x": {"a": "s"}})
    assert list_runs(refresh_index(tmp_path)) == ["early", "late"]
    shutil.rmtree(tmp_path / "late")
    index = refresh_index(tmp_path)
    assert (index, list_runs(index)) == (tmp_path / INDEX, ["early"])
    with closing(sqlite3.connect(index)) as connection:
        assert connection.execute("SELECT count(*) FROM results").fetchone() == (1,)


def test_a_changed_run_is_read_again(tmp_path: Path) -> None:
    """A run that was gone on with shows its new figures."""
    store_run(tmp_path, "night", {"x": {"a": "sm"}})
    refresh_index(tmp_path)
    store_run(tmp_path, "night", {"x": {"a": "smm"}})
    (point,) = find_course_of_models(refresh_index(tmp_path))
    assert (point.tally.solved, point.tally.missed) == (1, 2)


def test_an_unchanged_run_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh costs as much as what is new, not as all runs ever made; a new time stamp is a change."""
    directory, read = store_run(tmp_path, "night", {"x": {"a": "s"}}), []
    store_run(tmp_path, "other", {"x": {"a": "s"}})
    refresh_index(tmp_path)

    def note(directory: Path) -> object:
        read.append(directory.name)
        return read_run(directory)

    monkeypatch.setattr("pytest_itbench.run_index.read_run", note)
    refresh_index(tmp_path)
    assert read == []
    os.utime(directory / "run.json", (1, 1))
    refresh_index(tmp_path)
    assert read == ["night"]


def test_only_whole_runs_are_indexed(tmp_path: Path) -> None:
    """A directory without run.json or without outcomes is no run."""
    store_run(tmp_path, "whole", {"x": {"a": "s"}})
    (store_run(tmp_path, "bare", {"x": {"a": "s"}}) / "run.json").unlink()
    (store_run(tmp_path, "empty", {"x": {"a": "s"}}) / "outcomes.jsonl").unlink()
    assert list_runs(refresh_index(tmp_path)) == ["whole"]


def test_a_run_that_cannot_be_read_is_named_until_it_can(tmp_path: Path) -> None:
    """One bad run spoils no other, is told with its problem, and is tried again every time."""
    store_run(tmp_path, "good", {"x": {"a": "s"}})
    file = store_run(tmp_path, "bad", {"x": {"a": "s"}}) / "run.json"
    text = file.read_text()
    file.write_text(text.replace('"schema": 1', '"schema": 9'))
    index = refresh_index(tmp_path)
    (unreadable,) = list_unreadable(index)
    assert (list_runs(index), unreadable.run) == (["good"], "bad")
    assert unreadable.problem.endswith("schema 9 is not known here (expected 1)")
    assert "not read: bad: " in describe_history(tmp_path)
    file.write_text(text)
    refresh_index(tmp_path)
    assert list_unreadable(index) == ()


@pytest.mark.parametrize("damage", ["text", "cut", "older", "foreign", "journal"])
def test_a_damaged_or_older_index_is_made_anew(tmp_path: Path, damage: str) -> None:
    """Whatever lies there, a refresh gives the figures of the runs."""
    for day in range(60):
        store_run(tmp_path, f"night{day}", {"x": {"a" * 200: "s", "b" * 200: "m"}}, day=day)
    index = refresh_index(tmp_path)
    if damage == "text":
        index.write_text("this is no database\n" * 100)
    elif damage == "cut":
        os.truncate(index, index.stat().st_size // 2)
    elif damage == "older":
        with closing(sqlite3.connect(index)) as connection:
            connection.execute("PRAGMA user_version = 0")
            connection.execute("DELETE FROM results")
            connection.commit()
    elif damage == "foreign":
        index.unlink()
        with closing(sqlite3.connect(index)) as connection:
            connection.execute("CREATE TABLE runs (colour)")
            connection.execute("PRAGMA user_version = 1")
    else:
        index.write_text("no database")
        index.with_name(f"{INDEX}-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\x00" * 600)
    assert len(list_runs(refresh_index(tmp_path))) == 60


def test_a_locked_index_is_waited_for_and_not_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process at work is a reason to wait, then to say so; its index stays."""
    store_run(tmp_path, "night", {"x": {"a": "s"}})
    index = refresh_index(tmp_path)
    monkeypatch.setattr("pytest_itbench.run_index.BUSY", 0.05)
    with closing(sqlite3.connect(index, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(OptionMistake, match=r"index\.sqlite cannot be written: database is locked"):
            refresh_index(tmp_path)
        connection.execute("ROLLBACK")
    assert list_runs(index) == ["night"]


def test_no_directory_and_no_index_are_mistakes(tmp_path: Path) -> None:
    """What is not there is told in one line, and nothing is made."""
    with pytest.raises(OptionMistake, match="nowhere is no directory of runs"):
        refresh_index(tmp_path / "nowhere")
    with pytest.raises(OptionMistake, match=r"index\.sqlite cannot be read"):
        list_unreadable(tmp_path / INDEX)
    assert not list(tmp_path.iterdir())


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    """Quotes, markup and control characters harm neither the index nor the terminal."""
    store_run(tmp_path, "night", {HOSTILE: {HOSTILE: "s"}})
    (point,) = find_course_of_models(refresh_index(tmp_path), model=HOSTILE)
    assert point.model == HOSTILE
    for text in (describe_history(tmp_path), describe_history(tmp_path, scenario=HOSTILE)):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
        assert 'DROP TABLE runs; --\ufffd"[bold]' in text


# Queries


def test_the_course_of_a_model_has_the_figures_of_its_runs(tmp_path: Path) -> None:
    """Counts, pass@1 with its interval and the cost are those that the run's own summary gives."""
    directory = store_run(tmp_path, "night", {"x": {"a": "ssm", "b": "mmi", "c": "i"}})
    (point,) = find_course_of_models(refresh_index(tmp_path))
    run = read_run(directory)
    (total,) = summarise(run.outcomes, run.info).model_totals
    assert (point.run, point.model, point.started, point.scenarios) == ("night", "x", made.START, 3)
    assert (point.tally, point.pass_at_1, point.cost) == (total.tally, total.pass_at[0], 1.75)


def test_a_single_scenario_has_the_interval_of_its_attempts(tmp_path: Path) -> None:
    """One scenario says nothing about others; its own attempts give the interval, as in the summary."""
    directory = store_run(tmp_path, "night", {"x": {"a": "ssm"}, "y": {"a": "i"}})
    points = find_course_of_models(refresh_index(tmp_path))
    totals = read_run(directory).summarise().model_totals
    assert [point.pass_at_1 for point in points] == [total.pass_at[0] for total in totals]


def test_models_are_found_by_label_and_by_name(tmp_path: Path) -> None:
    """Both names of a model lead to its runs, and the newest so many are counted among them only."""
    for day in range(3):
        store_run(tmp_path, f"x{day}", {"x": {"a": "s"}}, day=day)
    store_run(tmp_path, "y", {"y": {"a": "s"}}, day=9)
    index = refresh_index(tmp_path)
    assert [point.run for point in find_course_of_models(index, model="x", last=2)] == ["x1", "x2"]
    assert [point.run for point in find_course_of_models(index, model="openai:y-1")] == ["y"]
    assert find_course_of_models(index, model="z") == ()


def test_runs_with_other_scenarios_are_marked(tmp_path: Path) -> None:
    """Figures over other scenarios, or over a changed one, do not pass as a model's progress."""
    store_run(tmp_path, "one", {"x": {"a": "s"}})
    store_run(tmp_path, "two", {"x": {"a": "m"}}, day=1)
    store_run(tmp_path, "three", {"x": {"a": "m", "b": "m"}}, day=2)
    store_run(tmp_path, "four", {"x": {"a": "m", "b": "m"}}, day=3, task="2")
    points = find_course_of_models(refresh_index(tmp_path))
    assert [point.alike for point in points] == [True, True, False, False]
    assert describe_history(tmp_path).count("other scenarios") == 2


def test_the_course_of_a_scenario_goes_over_runs_and_models(tmp_path: Path) -> None:
    """The oldest run comes first, and a change of the scenario is marked where it happened."""
    store_run(tmp_path, "old", {"x": {"a": "ssm", "b": "s"}, "y": {"a": "mi"}})
    store_run(tmp_path, "new", {"x": {"a": "s"}}, day=1, task="2")
    points = find_course_of_scenario(refresh_index(tmp_path), "a")
    assert [(point.run, point.model, point.alike) for point in points] == [
        ("old", "x", True),
        ("old", "y", True),
        ("new", "x", False),
    ]
    assert (points[1].tally.invalid, points[1].pass_at_1.value, points[1].cost) == (1, 0, 0.5)
    assert [point.run for point in find_course_of_scenario(refresh_index(tmp_path), "a", model="y")] == ["old"]


def test_scenarios_that_tell_no_models_apart_are_found(tmp_path: Path) -> None:
    """Always or never solved by all models of the newest runs; invalid attempts say nothing, older runs neither."""
    store_run(tmp_path, "old", {"x": {"easy": "m", "hard": "s"}})
    store_run(tmp_path, "one", {"x": {"easy": "ss", "hard": "mi", "good": "s", "lost": "i"}}, day=1)
    store_run(tmp_path, "two", {"y": {"easy": "s", "hard": "m", "good": "m"}}, day=2)
    found = find_constant_scenarios(refresh_index(tmp_path), last=2)
    assert (found.runs, found.scenarios) == (("one", "two"), 3)
    easy, hard = found.constant
    assert easy == ConstantScenario(
        scenario="easy", domain="networking", verdict=Verdict.SOLVED, models=2, runs=2, attempts=3
    )
    assert (hard.scenario, hard.verdict, hard.attempts) == ("hard", Verdict.MISSED, 2)


def test_controls_and_older_versions_say_nothing_about_discrimination(tmp_path: Path) -> None:
    """oracle and noop differ everywhere; results of a scenario before it was changed are of another scenario."""
    store_run(tmp_path, "old", {"x": {"a": "s"}})
    store_run(tmp_path, "new", {"x": {"a": "m"}, "oracle": {"a": "s"}, "noop": {"a": "m"}}, day=1, task="2")
    store_run(tmp_path, "proof", {"oracle": {"a": "s"}}, day=2)
    found = find_constant_scenarios(refresh_index(tmp_path), last=5)
    assert found.runs == ("old", "new")
    assert [(each.scenario, each.verdict, each.models) for each in found.constant] == [("a", Verdict.MISSED, 1)]


# Text


def test_the_text_has_models_and_constant_scenarios(tmp_path: Path) -> None:
    """A row per model and run, then what tells no models apart."""
    store_run(tmp_path, "night", {"x": {"a": "ss", "b": "sm"}})
    lines = [re.split(r"\s{2,}", line.strip()) for line in describe_history(tmp_path).splitlines()]
    assert ["x", "night", "2026-01-02 03:04", "2", "4", "3", "4", "0", "75.0 (50.0-100.0)", "1.0000"] in lines
    assert ["a", "networking", "always", "1", "1", "2"] in lines
    title = "1 of 2 scenarios always or never solved in the newest 1 run, which tells no models apart"
    assert [f"{title} (oracle and noop aside)"] in lines


def test_the_text_says_when_only_controls_ran(tmp_path: Path) -> None:
    """Nothing is said about discrimination when there is nothing to say it by."""
    store_run(tmp_path, "proof", {"oracle": {"a": "s"}})
    assert "No run of a model other than oracle and noop" in describe_history(tmp_path)


def test_what_no_run_has_is_a_mistake(tmp_path: Path) -> None:
    """An unknown model or scenario, an empty directory and a count below 1 are told."""
    with pytest.raises(OptionMistake, match="has an outcome"):
        describe_history(tmp_path)
    store_run(tmp_path, "night", {"x": {"a": "s"}})
    with pytest.raises(OptionMistake, match="has model y with scenario a"):
        describe_history(tmp_path, model="y", scenario="a")
    with pytest.raises(OptionMistake, match="--last must be at least 1, not 0"):
        describe_history(tmp_path, last=0)
