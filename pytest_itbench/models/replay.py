"""Replies that were made before: a JSON object a line with ``scenario``, ``reply``, maybe ``attempt`` and ``model``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request, Sampling
from pytest_itbench.domain.outcome import Usage
from pytest_itbench.errors import OptionMistake, ProviderTrouble


class Replay:
    """Answers attempt i of a scenario with the reply recorded for it.

    A line without ``attempt`` counts as the next attempt of its scenario. Fewer recordings than attempts make the rest
    of them invalid: repeating a recording would pass for an independent attempt.
    """

    def __init__(self, choice: ModelChoice) -> None:
        self._path = Path(choice.name)
        every = read_candidates(self._path)
        self._replies = every.get(choice.options.get("model", ""), {})
        if len(every) > 1 and not self._replies:
            raise OptionMistake(
                f"replay:{self._path} holds several models; to judge them: --itbench-candidates={self._path}"
            )

    def ask(self, request: Request) -> Reply:
        """The recorded reply."""
        recorded = self._replies.get(request.scenario.id, {})
        if request.index not in recorded:
            message = f"{self._path} holds no reply to {request.scenario.id} for attempt {request.index}"
            raise ProviderTrouble(message, hint=f"it holds {len(recorded)} for this scenario; ask for fewer attempts")
        return recorded[request.index]


@cache
def read_candidates(path: Path) -> dict[str, dict[str, dict[int, Reply]]]:
    """Replies by model (empty where a line names none), scenario and attempt.

    Raises:
        OptionMistake: the file cannot be read, or a line is not a recording.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionMistake(f"replay:{path}: cannot be read: {error}") from error
    replies: dict[str, dict[str, dict[int, Reply]]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            _add(replies, line, f"replay:{path}:{number}")
    return replies


def _add(replies: dict[str, dict[str, dict[int, Reply]]], line: str, place: str) -> None:
    try:
        record = json.loads(line)
        scenario, text = (record[key] for key in ("scenario", "reply"))
        mine = replies.setdefault(record.get("model", ""), {}).setdefault(scenario, {})
        index = record.get("attempt", len(mine))
        usage = Usage(**record.get("usage", {}))
    except KeyError as error:
        raise OptionMistake(f"{place}: key {error} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise OptionMistake(f'{place}: expected {{"scenario": …, "reply": …}}: {error}') from error
    if not isinstance(text, str) or not isinstance(index, int):
        raise OptionMistake(f"{place}: reply must be text and attempt a number")
    if index in mine:
        raise OptionMistake(f"{place}: attempt {index} of {scenario} is there twice")
    mine[index] = Reply(text=text, finish=str(record.get("finish", "")), usage=usage)


def choose_candidates(file: str) -> tuple[ModelChoice, ...]:
    """The models of a file of candidates, each with the number of attempts that it holds, and how it was asked.

    Raises:
        OptionMistake: the file cannot be read or holds nothing.
    """
    path = Path(file)
    found = read_candidates(path)
    if not found:
        raise OptionMistake(f"--itbench-candidates={file} holds no candidates")
    records = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    origins = {record.get("model", ""): record for record in records}
    return tuple(_choose(file, model, mine, origins[model]) for model, mine in found.items())


def _choose(
    file: str, model: str, replies: Mapping[str, Mapping[int, Reply]], origin: Mapping[str, Any]
) -> ModelChoice:
    level, temperature, asked = (origin.get(key) for key in ("level", "temperature", "asked"))
    options: dict[str, Any] = {"model": model, "attempts": 1 + max(map(max, replies.values()))}
    return ModelChoice(
        level=level if level in (1, 2, 3) else 2,
        sampling=Sampling(temperature=float(temperature) if isinstance(temperature, int | float) else None),
        label=re.sub(r"[^\w.-]+", "-", model) or "candidates",
        kind="replay",
        name=file,
        options=options | ({"asked": asked} if isinstance(asked, str) else {}),
    )
