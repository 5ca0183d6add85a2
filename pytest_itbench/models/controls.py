"""Models that know their answer: the scenario's own solution, nothing at all, or one given playbook."""

from __future__ import annotations

from pathlib import Path

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.errors import OptionMistake

NOTHING = "- name: Do nothing\n  hosts: all\n  gather_facts: false\n  tasks: []\n"


def fence(playbook: str) -> str:
    """A playbook as a model would hand it in."""
    return f"```yaml\n{playbook.rstrip()}\n```\n"


class Oracle:
    """Replies with the scenario's reference solution."""

    def __init__(self, choice: ModelChoice) -> None:
        del choice

    def ask(self, request: Request) -> Reply:
        """The solution, as a model would hand it in."""
        return Reply(text=fence(request.scenario.solution.read_text(encoding="utf-8")))


class Noop:
    """Replies with a playbook that does nothing."""

    def __init__(self, choice: ModelChoice) -> None:
        del choice

    def ask(self, request: Request) -> Reply:
        """A valid playbook without a task."""
        del request
        return Reply(text=fence(NOTHING))


class File:
    """Replies with one playbook, whatever the scenario."""

    def __init__(self, choice: ModelChoice) -> None:
        try:
            self._playbook = Path(choice.name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise OptionMistake(f"file:{choice.name}: cannot be read: {error}") from error

    def ask(self, request: Request) -> Reply:
        """The playbook, as a model would hand it in."""
        del request
        return Reply(text=fence(self._playbook))
