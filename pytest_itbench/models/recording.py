"""Replies on disk by the hash of their request, so that an identical request is never paid for twice.

One file per reply: many processes write at once, and whatever was written before a run was killed is used by the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.domain.outcome import Usage
from pytest_itbench.errors import ProviderTrouble
from pytest_itbench.models.base import Model
from pytest_itbench.models.choice import build_model, is_costly
from pytest_itbench.whole_file import write_json

SCHEMA = 1


class RecordMode(StrEnum):
    """When a model is asked, and when a recording answers for it.

    ``once`` is decided at the start of a run: it becomes ``new`` where there are no recordings yet, else ``none``.
    """

    NONE = "none"
    ONCE = "once"
    NEW = "new"
    ALL = "all"


def settle_mode(mode: RecordMode, directory: Path) -> RecordMode:
    """The mode of this run: ``once`` depends on whether there are recordings."""
    if mode is not RecordMode.ONCE:
        return mode
    return RecordMode.NONE if directory.is_dir() and any(directory.iterdir()) else RecordMode.NEW


def hash_request(choice: ModelChoice, request: Request) -> str:
    """The identity of a request: model, sampling, both messages, and which attempt at which scenario it is.

    The attempt is part of it because attempts are independent: the same reply twice would pass for two.
    """
    content = {
        "kind": choice.kind,
        "name": choice.name,
        "sampling": asdict(choice.sampling),
        "system": request.prompt.system,
        "user": request.prompt.user,
        "scenario": request.scenario.id,
        "attempt": request.index,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


Wrap = Callable[[Model], Model]
Fetch = Callable[[str, str, int, str], bool]
"""Has a reply recorded by who knows what the run is going to ask: scenario, label, attempt and the request's hash.

False when that is not what was planned. See `pytest_itbench.models.dispatcher.Dispatcher.fetch`.
"""


def make_recorded(
    choice: ModelChoice, directory: Path, mode: RecordMode, wrap: Wrap, fetch: Fetch | None = None
) -> Model:
    """The model; if asking it costs something, with recordings before it and `wrap` around what is really asked.

    With `fetch`, the model is asked only for what that does not bring.

    Raises:
        UnknownName, MissingExtra, OptionMistake: the model cannot be made, and its recordings alone do not do.
    """
    if not is_costly(choice):
        return build_model(choice)
    return Recorded(choice, directory, mode, None if mode is RecordMode.NONE else wrap(build_model(choice)), fetch)


class Recorded:
    """Answers from recordings, and records what it had to ask."""

    def __init__(
        self, choice: ModelChoice, directory: Path, mode: RecordMode, model: Model | None, fetch: Fetch | None = None
    ) -> None:
        self._choice, self._directory, self._mode = choice, directory, mode
        self._model, self._fetch = model, fetch

    def ask(self, request: Request) -> Reply:
        """The recorded reply, or a new one.

        Raises:
            ProviderTrouble: there is no recording, and none may be made; or the model gave no reply.
        """
        digest = hash_request(self._choice, request)
        path = self._directory / digest[:2] / f"{digest}.json"
        if self._mode is not RecordMode.ALL and path.is_file():
            return read_recording(path)
        if self._model is None:
            message = f"no recording answers {request.scenario.id}, attempt {request.index}, of {self._choice.label}"
            hint = "model, prompt or sampling differ from what was recorded; to ask for it: --itbench-record=new"
            raise ProviderTrouble(message, hint=hint)
        if self._fetch and self._fetch(request.scenario.id, self._choice.label, request.index, digest):
            return read_recording(path)
        reply = self._model.ask(request)
        write_json(path, self._describe(digest, request, reply))
        return reply

    def _describe(self, digest: str, request: Request, reply: Reply) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "request": digest,
            "recorded": datetime.now(UTC).isoformat(),
            "scenario": request.scenario.id,
            "attempt": request.index,
            "kind": self._choice.kind,
            "name": self._choice.name,
            "level": self._choice.level,
            "sampling": asdict(self._choice.sampling),
            "system": request.prompt.system,
            "user": request.prompt.user,
            "reply": reply.text,
            "finish": reply.finish,
            "usage": asdict(reply.usage),
        }


def read_recording(path: Path) -> Reply:
    """A recorded reply.

    Raises:
        ProviderTrouble: the file is not a recording.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Reply(text=record["reply"], finish=record["finish"], usage=Usage(**record["usage"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "remove the file, or ask again: --itbench-record=all"
        raise ProviderTrouble(f"{path} is not a recording: {error}", hint=hint) from error
