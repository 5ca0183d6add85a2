"""Models that know their answer: the scenario's own solution, nothing at all, or one given file."""

from __future__ import annotations

from pathlib import Path

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.domain.parts import put_in_fence
from pytest_itbench.domain.scenario import PARTS, Scenario
from pytest_itbench.errors import OptionMistake, ProviderTrouble

NOTHING = {
    "playbook.yml": "- name: Do nothing\n  hosts: all\n  gather_facts: false\n  tasks: []\n",
    "script.sh": "#!/bin/sh\ntrue\n",
    # kubectl takes no file without an object.
    "manifests.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: nothing\n",
    "policy.rego": "package check\n",
    "policy.yaml": "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata:\n  name: nothing\nspec:\n  rules: []\n",
    "answer.json": "{}\n",
}
"""Each part of a candidate as somebody writes it who does nothing."""

TAGS = {".yml": "yaml", ".yaml": "yaml", ".sh": "bash", ".rego": "rego", ".json": "json"}
"""What a fenced block is called that holds a file of a suffix."""


def fence(parts: dict[str, str]) -> str:
    """The parts of a candidate, by file name, as a model would hand them in."""
    return "\n".join(put_in_fence(TAGS[Path(name).suffix], text) for name, text in parts.items())


def read_solution(scenario: Scenario) -> dict[str, str]:
    """The parts of the reference solution, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in scenario.solution}


class Oracle:
    """Replies with the scenario's reference solution."""

    def __init__(self, choice: ModelChoice) -> None:
        del choice

    def ask(self, request: Request) -> Reply:
        """The solution, as a model would hand it in."""
        return Reply(text=fence(read_solution(request.scenario)))


class Noop:
    """Replies with a candidate that does nothing."""

    def __init__(self, choice: ModelChoice) -> None:
        del choice

    def ask(self, request: Request) -> Reply:
        """Each part, valid and empty."""
        return Reply(text=fence({part: NOTHING[part] for part in PARTS[request.scenario.candidate]}))


class File:
    """Replies with one file, whatever the scenario; the other parts of a candidate are the solution's."""

    def __init__(self, choice: ModelChoice) -> None:
        self._path = Path(choice.name)
        try:
            self._text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise OptionMistake(f"file:{choice.name}: cannot be read: {error}") from error

    def ask(self, request: Request) -> Reply:
        """The file, as a model would hand it in."""
        parts = PARTS[request.scenario.candidate]
        if len(parts) == 1:
            return Reply(text=fence({parts[0]: self._text}))
        language = TAGS.get(self._path.suffix)
        replaced = [part for part in parts if TAGS[Path(part).suffix] == language]
        if not replaced:
            message = f"file:{self._path} is none of the candidate's parts: {', '.join(parts)}"
            raise ProviderTrouble(message, hint="give it the suffix of the part that it takes the place of")
        return Reply(text=fence(read_solution(request.scenario) | dict.fromkeys(replaced, self._text)))
