"""The process's environment variables, from several threads."""

from __future__ import annotations

import os

import pytest

from pytest_itbench.variables import read_variables


@pytest.mark.usefixtures("variables_that_come_and_go")
def test_variables_can_be_read_while_another_thread_removes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pytest does between the phases of each test."""
    monkeypatch.setenv("ITBENCH_STAYS", "here")
    assert all(read_variables()["ITBENCH_STAYS"] == "here" for _ in range(5_000))


def test_all_variables_are_read() -> None:
    """Nothing is left out."""
    assert read_variables() == dict(os.environ)
