"""What the values of options may be: each function reads a text, or raises ValueError with the reason why it cannot."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

RECORD_MODES = ("none", "once", "new", "all")


def read_whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


def read_number(text: str) -> float:
    """Any number."""
    try:
        return float(text)
    except ValueError:
        raise ValueError("must be a number") from None


def read_count(text: str) -> int:
    """A whole number of at least 1."""
    number = read_whole(text)
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def read_natural(text: str) -> int:
    """A whole number of at least 0."""
    number = read_whole(text)
    if number < 0:
        raise ValueError("must not be negative")
    return number


AMOUNT = re.compile(r"(\d+(?:\.\d+)?)([kM]?)-?(usd|tokens?|requests?|s|min|h)")
SCALES = {"": 1, "k": 1_000, "M": 1_000_000}
UNITS: dict[str, tuple[str, float]] = {
    "usd": ("dollars", 1),
    "token": ("tokens", 1),
    "request": ("requests", 1),
    "s": ("seconds", 1),
    "min": ("seconds", 60),
    "h": ("seconds", 3600),
}


def read_budget(text: str) -> tuple[str, float]:
    """What may be spent: a field of Budget, and how much of it."""
    match = AMOUNT.fullmatch(text.strip())
    if not match:
        raise ValueError("must be an amount such as 5usd, 2M-tokens, 300-requests, 30min")
    unit = match[3] if match[3] in UNITS else match[3].removesuffix("s")
    field, factor = UNITS[unit]
    amount = float(match[1]) * SCALES[match[2]] * factor
    return field, int(amount) if field in ("tokens", "requests") else amount


def read_price(text: str) -> tuple[str, tuple[float, float]]:
    """A model's label, and its price per million tokens in and out."""
    match = re.fullmatch(r"([^=]+)=(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)", text.strip())
    if not match:
        raise ValueError("must be of the form LABEL=IN/OUT, as in openai-gpt-5.2=1.25/10")
    return match[1], (float(match[2]), float(match[3]))


def read_margin(text: str) -> float:
    """A number of at least 0, below 1."""
    number = read_number(text)
    if not 0 <= number < 1:
        raise ValueError("must be at least 0 and below 1")
    return number


def read_shard(text: str) -> tuple[int, int]:
    """Which part, from 1, and of how many."""
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text.strip())
    if not match or int(match[1]) > int(match[2]):
        raise ValueError("must be of the form I/N with I from 1 to N, as in 2/5")
    return int(match[1]), int(match[2])


def read_level(text: str) -> int:
    """A prompt's level of detail."""
    number = read_whole(text)
    if number not in (1, 2, 3):
        raise ValueError("must be 1, 2 or 3")
    return number


def read_counts(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between them, each once, in order."""
    return tuple(sorted({read_count(part) for part in text.split(",")}))


def read_temperature(text: str) -> float:
    """A sampling temperature."""
    number = read_number(text)
    if not 0 <= number <= 2:  # noqa: PLR2004  # the range that providers accept
        raise ValueError("must lie between 0 and 2")
    return number


def read_share(text: str) -> float:
    """A number above 0, at most 1."""
    number = read_number(text)
    if not 0 < number <= 1:
        raise ValueError("must be above 0 and at most 1")
    return number


def read_parameter(text: str) -> tuple[str, Any]:
    """A name and a value; the value is read as JSON where it is JSON."""
    name, mark, value = text.partition("=")
    if not mark or not name.strip():
        raise ValueError("must be of the form KEY=VALUE")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value


def read_text(text: str) -> str:
    """The text itself, or what a file holds."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file cannot be read: {error}") from error


def read_arguments(text: str) -> tuple[str, ...]:
    """Arguments of a command, as in a shell."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(str(error).lower()) from None


def read_seconds(text: str) -> float:
    """A duration in seconds, above 0."""
    number = read_number(text)
    if not 0 < number < float("inf"):
        raise ValueError("must be more than 0 seconds")
    return number


def read_record_mode(text: str) -> str:
    """When to ask and when to replay."""
    if text not in RECORD_MODES:
        raise ValueError(f"must be one of {', '.join(RECORD_MODES)}")
    return text


def read_name(text: str) -> str:
    """A name that can be a directory's."""
    if not text or text in (".", "..") or set("/\\\0") & set(text):
        raise ValueError("must be a plain directory name")
    return text


VERDICTS = ("missed", "invalid", "solved")
CAPACITY = re.compile(r"(memory|disk|cpus|pids)=(\d+(?:\.\d+)?)([kmg]?)")
SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def read_amount(text: str) -> tuple[str, float]:
    """What of a machine may be used: a field of Load, and how much of it."""
    match = CAPACITY.fullmatch(text.strip().lower())
    if not match or (match[3] and match[1] in ("cpus", "pids")) or not float(match[2]):
        raise ValueError("must be an amount such as memory=8g, cpus=4, pids=4000 or disk=50g")
    return match[1], float(match[2]) * SIZES[match[3]]


def read_verdict(text: str) -> str:
    """A verdict."""
    if text not in VERDICTS:
        raise ValueError(f"must be one of {', '.join(VERDICTS)}")
    return text


def read_cluster(text: str) -> str:
    """Who makes a cluster: ``kind``, ``kind:NAME`` or ``k3s``."""
    if not re.fullmatch(r"kind(:[a-z0-9][a-z0-9.-]*)?|k3s", text):
        raise ValueError("must be kind, kind:NAME or k3s")
    return text
