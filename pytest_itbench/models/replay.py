"""Replies that were recorded before: one JSON object a line with ``scenario``, ``reply`` and maybe ``attempt``."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.errors import OptionMistake, ProviderTrouble


class Replay:
    """Answers attempt i of a scenario with the reply recorded for it.

    A line without ``attempt`` counts as the next attempt of its scenario. Fewer recordings than attempts make the rest
    of them invalid: repeating a recording would pass for an independent attempt.
    """

    def __init__(self, choice: ModelChoice) -> None:
        self._path = Path(choice.name)
        self._replies = read_recordings(self._path)

    def ask(self, request: Request) -> Reply:
        """The recorded reply."""
        recorded = self._replies.get(request.scenario.id, {})
        if request.index not in recorded:
            message = f"{self._path} holds no reply to {request.scenario.id} for attempt {request.index}"
            raise ProviderTrouble(message, hint=f"it holds {len(recorded)} for this scenario; ask for fewer attempts")
        return Reply(text=recorded[request.index])


def read_recordings(path: Path) -> dict[str, dict[int, str]]:
    """Replies by scenario and attempt.

    Raises:
        OptionMistake: the file cannot be read, or a line is not a recording.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionMistake(f"replay:{path}: cannot be read: {error}") from error
    replies: dict[str, dict[int, str]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            _add(replies, line, f"replay:{path}:{number}")
    return replies


def _add(replies: dict[str, dict[int, str]], line: str, place: str) -> None:
    try:
        record = json.loads(line)
        scenario, reply = (record[key] for key in ("scenario", "reply"))
        mine = replies.setdefault(scenario, {})
        index = record.get("attempt", len(mine))
    except KeyError as error:
        raise OptionMistake(f"{place}: key {error} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise OptionMistake(f'{place}: expected {{"scenario": …, "reply": …}}: {error}') from error
    if not isinstance(reply, str) or not isinstance(index, int):
        raise OptionMistake(f"{place}: reply must be text and attempt a number")
    if index in mine:
        raise OptionMistake(f"{place}: attempt {index} of {scenario} is recorded twice")
    mine[index] = reply
