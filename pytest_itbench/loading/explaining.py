"""From an error of pydantic's to a place in a file and a sentence about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pytest_itbench.loading.shape import Strict
from pytest_itbench.loading.yaml_file import Location

ALIKE = 0.7
"""How alike two words are at least, for one to be a slip of the other."""
KEY = "[key]"
"""What pydantic adds to the place of a mapping's key that is wrong."""


def explain(error: Mapping[str, Any], root: type[Strict]) -> tuple[Location, str]:
    """Where in a file of the shape `root` the error is, and what to say about it."""
    steps = list(_walk(error["loc"], root))
    shapes = [root, *(shape for _, shape, _ in steps)]
    location = tuple(step for step, _, is_tag in steps if not is_tag)
    place = ".".join(str(step) for step in location if step != KEY)
    what, given = error["type"], error["input"]
    if what == "extra_forbidden":
        return location, f"unknown key {place!r}{_suggest(str(location[-1]), _list_keys(shapes[-2]), 'known keys')}"
    if what == "missing":
        return location, f"key {place!r} is missing"
    if what in ("union_tag_invalid", "union_tag_not_found"):
        name = str(error["ctx"]["discriminator"]).strip("'")
        kinds = [str(kind) for member in _list_members(shapes[-1]) for kind in _list_kinds(member)]
        seen = str(error["ctx"].get("tag", ""))
        problem = f"unknown {name} {seen!r}" if seen else f"key {name!r} is missing"
        return (*location, name), f"{place}: {problem}{_suggest(seen, kinds, 'known')}"
    if what in ("model_type", "dict_type", "model_attributes_type"):
        return location, f"{place}: a mapping is expected (seen: {given!r}); an empty one is written {{}}"
    if location[-1:] == (KEY,) and what != "value_error":
        return location, f"{place} cannot be a name (lower case, digits, -)"
    text = error["msg"].removeprefix("Value error, ")
    seen = "" if isinstance(given, (dict, list)) or KEY in location else f" (seen: {given!r})"
    return location, f"{place}: {text}{seen}" if place else f"{text}{seen}"


def _walk(location: Location, root: type[Strict]) -> Iterator[tuple[str | int, Any, bool]]:
    """Each step with the type to which it leads, and whether it is no key but the tag of a union's member."""
    shape: Any = root
    for step in location:
        members = _list_members(shape)
        tagged = [member for member in members if step in _list_kinds(member)] if len(members) > 1 else []
        shape = tagged[0] if tagged else _enter(shape, step)
        yield step, shape, bool(tagged)


def _enter(shape: Any, step: str | int) -> Any:
    """The type of what stands at a key or an index."""
    for each in _list_alternatives(shape):
        arguments = get_args(each)
        if get_origin(each) in (list, dict) and arguments:
            return arguments[-1]
        if isinstance(each, type) and issubclass(each, Strict):
            fields = {field.alias or name: field for name, field in each.model_fields.items()}
            return fields[str(step)].annotation if step in fields else None
    return None


def _list_alternatives(shape: Any) -> list[Any]:
    """The types that a type stands for: a union's members, without what Annotated adds."""
    if hasattr(shape, "__metadata__"):
        return _list_alternatives(shape.__origin__)
    arguments = get_args(shape)
    if not arguments or get_origin(shape) in (list, dict, Literal):
        return [shape]
    return [each for argument in arguments for each in _list_alternatives(argument)]


def _list_members(shape: Any) -> list[type[Strict]]:
    return [each for each in _list_alternatives(shape) if isinstance(each, type) and issubclass(each, Strict)]


def _list_kinds(shape: type[Strict]) -> tuple[Any, ...]:
    kind = shape.model_fields.get("kind")
    return get_args(kind.annotation) if kind and get_origin(kind.annotation) is Literal else ()


def _list_keys(shape: Any) -> list[str]:
    return [field.alias or name for member in _list_members(shape) for name, field in member.model_fields.items()]


def _suggest(word: str, known: Sequence[str], what: str) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=ALIKE)
    return f"; did you mean {close[0]!r}?" if close else f"; {what}: {', '.join(known)}"
