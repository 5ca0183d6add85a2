"""Secrets are taken out of text where it leaves the process: from replies, evidence, messages and recordings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

from pytest_itbench.variables import read_variables

SECRET_NAME = re.compile(r"(API_?KEY|_KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_ID)?$", re.IGNORECASE)
SHORTEST = 8
"""Shorter values are left alone: they would be found in innocent words."""


@cache
def is_secret(name: str) -> bool:
    """Whether an environment variable of this name holds a secret."""
    return bool(SECRET_NAME.search(name))


class Redactor:
    """Replaces secrets by the names of the environment variables that hold them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def learn(self) -> None:
        """Take note of the secrets that the environment holds now; what was a secret once stays one."""
        values = {value: name for name, value in read_variables().items() if is_secret(name) and len(value) >= SHORTEST}
        found = {form: name for value, name in values.items() for form in _spell(value)}
        if found.keys() - self._names.keys():
            self._names |= found
            longest_first = sorted(self._names, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str) -> str:
        """The text without secrets, and with question marks for what UTF-8 cannot hold."""
        if self._pattern:
            text = self._pattern.sub(lambda match: f"[{self._names[match[0]]}]", text)
        return text.encode("utf-8", "replace").decode()


def _spell(value: str) -> Iterator[str]:
    """A value as it is, and as JSON writes it."""
    yield value
    for plain in (True, False):
        yield json.dumps(value, ensure_ascii=plain)[1:-1]


_REDACTOR = Redactor()
_REDACTOR.learn()
learn_secrets = _REDACTOR.learn
redact = _REDACTOR.redact
