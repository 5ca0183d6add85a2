"""As many environments at once as there is room for, of all workers together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MARKING = """
import pytest

@pytest.fixture
def itbench_environment(itbench_environment, request):
    marks = request.config.rootpath / "marks"
    with marks.open("a") as file:
        file.write("in\\n")
    yield itbench_environment
    with marks.open("a") as file:
        file.write("out\\n")
"""


@pytest.mark.parametrize(("room", "most"), [(1, 1), (2, 2), (1000, 4)])
def test_room_is_shared(
    pytester: pytest.Pytester,
    make_scenario: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    room: int,
    most: int,
) -> None:
    """Four workers, each busy for a while with every attempt: never more at once than fit, and no fewer."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    make_scenario("one", below=pytester.path)
    pytester.makeconftest(MARKING)
    (pytester.path / "slow.yml").write_text("- hosts: all\n  tasks: []\n# right\n# fake: sleep 0.7\n")
    options = ["-n4", "--itbench-attempts=8", "--itbench-model=m=file:slow.yml", f"--itbench-capacity=pids={room}"]
    pytester.runpytest_subprocess("one", *options).assert_outcomes(passed=8)
    inside = peak = 0
    for mark in (pytester.path / "marks").read_text().split():
        inside += 1 if mark == "in" else -1
        peak = max(peak, inside)
    assert peak == most
