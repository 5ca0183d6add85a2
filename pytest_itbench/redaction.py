"""Secrets are taken out of text where it leaves the process: from replies, evidence, messages and recordings."""

from __future__ import annotations

import os
import re

SECRET_NAME = re.compile(r"(API_?KEY|_KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_ID)?$", re.IGNORECASE)
SHORTEST = 8
"""Shorter values are left alone: they would be found in innocent words."""


def find_secrets() -> dict[str, str]:
    """The values of environment variables whose names speak of secrets, longest first, with those names."""
    found = {value: name for name, value in os.environ.items() if SECRET_NAME.search(name) and len(value) >= SHORTEST}
    return dict(sorted(found.items(), key=lambda entry: -len(entry[0])))


def redact(text: str) -> str:
    """The text with every secret's value replaced by its name, and what UTF-8 cannot hold by question marks."""
    for value, name in find_secrets().items():
        text = text.replace(value, f"[{name}]")
    return text.encode("utf-8", "replace").decode()
