"""Implementations chosen by name, found through entry points and loaded when first used."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from pytest_itbench.errors import MissingExtra, UnknownName

PREFIX = "pytest_itbench."


def find_implementation(group: str, name: str) -> Any:
    """Load what is registered as `name` in the entry-point group ``pytest_itbench.<group>``.

    Raises:
        UnknownName: nothing is registered by that name; the message lists what is.
        MissingExtra: it is registered, but its packages are not installed.
    """
    known = {entry.name: entry for entry in entry_points(group=PREFIX + group)}
    if name not in known:
        raise UnknownName(group.removesuffix("s"), name, tuple(sorted(known)))
    entry = known[name]
    try:
        return entry.load()
    except ModuleNotFoundError as error:
        extra = entry.extras[0] if entry.extras else name
        raise MissingExtra(f"{group.removesuffix('s')} {name!r}", extra, error.name or "?") from error
