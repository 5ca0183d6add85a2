"""Reads YAML as the values that JSON has: a job of `limited_process`, so that it imports nothing of this package."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

DEEPEST = 100
"""Levels of lists and mappings; flow style takes libyaml minutes once it is very deep."""
LONGEST_NUMBER = 100
SHOWN = 300

CORE = "tag:yaml.org,2002:"
NULL, BOOL, INT, FLOAT = (f"{CORE}{name}" for name in ("null", "bool", "int", "float"))
STR, SEQ, MAP, MERGE = (f"{CORE}{name}" for name in ("str", "seq", "map", "merge"))
TEXTS = {STR, MERGE, *(f"{CORE}{name}" for name in ("timestamp", "binary", "value"))}
"""What stays as it was written: JSON has nothing else for it."""


class Refused(Exception):
    """What stands in the text is not read."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


class Reader:
    """Builds values out of a parser's events, so that nothing that is refused was made first."""

    def __init__(self, loader: Any) -> None:
        self._events = loader
        self._scalars = {
            NULL: loader.construct_yaml_null,
            BOOL: loader.construct_yaml_bool,
            INT: loader.construct_yaml_int,
            FLOAT: loader.construct_yaml_float,
        }

    def read_documents(self) -> Iterator[Any]:
        """Those that are not empty.

        Raises:
            Refused: it is no such YAML as is read.
            yaml.YAMLError: it is no YAML.
        """
        while (event := self._events.get_event()) is not None:
            if isinstance(event, yaml.DocumentStartEvent):
                value = self._read(self._events.get_event(), 0)
                if value is not None:
                    yield value

    def _read(self, event: Any, depth: int) -> Any:
        if depth > DEEPEST:
            raise _refuse(event, f"lists and mappings are nested more than {DEEPEST} deep")
        if isinstance(event, yaml.SequenceStartEvent):
            self._find_tag(event, yaml.SequenceNode, {SEQ})
            return self._read_sequence(depth + 1)
        if isinstance(event, yaml.MappingStartEvent):
            self._find_tag(event, yaml.MappingNode, {MAP})
            return self._read_mapping(depth + 1)
        return self._read_scalar(event)

    def _read_sequence(self, depth: int) -> list[Any]:
        found = []
        while not isinstance(event := self._events.get_event(), yaml.SequenceEndEvent):
            found.append(self._read(event, depth))
        return found

    def _read_mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._events.get_event(), yaml.MappingEndEvent):
            key = self._read_key(event)
            if key in found:
                raise _refuse(event, f"key {_shorten(key)} stands twice in one mapping")
            found[key] = self._read(self._events.get_event(), depth)
        return found

    def _read_key(self, event: Any) -> str:
        """A key as it is written: in JSON, all keys are texts."""
        _refuse_alias(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise _refuse(event, "a list or a mapping is used as a key")
        if self._find_scalar_tag(event) == MERGE:
            raise _refuse(event, "merge keys (<<) are not read: write out what is merged")
        return str(event.value)

    def _read_scalar(self, event: Any) -> Any:
        _refuse_alias(event)
        tag, text = self._find_scalar_tag(event), str(event.value)
        if tag in TEXTS or (tag in (INT, FLOAT) and ":" in text):  # 22:22 is a number of base 60 for PyYAML alone
            return text
        if len(text) > LONGEST_NUMBER:
            raise _refuse(event, f"a number of {len(text)} characters")
        node = yaml.ScalarNode(tag, text, event.start_mark, event.end_mark)
        try:
            value = self._scalars[tag](node)
        except (ValueError, LookupError, ArithmeticError):
            if event.tag:  # it promises what is not there
                raise _refuse(event, f"{_shorten(text)} is no {tag.removeprefix(CORE)}") from None
            return text  # such as 0x_, of which PyYAML believes that it is a number
        return text if isinstance(value, float) and not math.isfinite(value) else value

    def _find_scalar_tag(self, event: Any) -> str:
        return self._find_tag(event, yaml.ScalarNode, TEXTS | self._scalars.keys())

    def _find_tag(self, event: Any, kind: type[yaml.Node], known: set[str]) -> str:
        tag = event.tag
        if tag is None or tag == "!":  # as PyYAML's composer does it
            tag = self._events.resolve(kind, getattr(event, "value", None), event.implicit)
        if tag not in known:
            raise _refuse(event, f"the tag {_shorten(tag)} is not read here")
        return str(tag)


def _refuse(event: Any, problem: str) -> Refused:
    return Refused(event.start_mark.line + 1, problem)


def _refuse_alias(event: Any) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise _refuse(event, f"aliases ({_shorten(f'*{event.anchor}')}) are not read: write it out")


def _shorten(text: str) -> str:
    return repr(text if len(text) <= SHOWN // 5 else f"{text[: SHOWN // 5]}…")


def prepare() -> type[Any]:
    """The parser; the one in C is six times as fast."""
    found: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return found


def work(loader: type[Any], asked: Mapping[str, str]) -> dict[str, Any]:
    """The `documents`; or why the text is `refused`, in one line."""
    text = asked["text"]
    try:
        if wrong := yaml.reader.Reader.NON_PRINTABLE.search(text):
            line = text.count("\n", 0, wrong.start()) + 1
            raise Refused(line, f"the character U+{ord(wrong[0]):04X} may not stand in YAML")  # noqa: TRY301  # one way out
        return {"documents": list(Reader(loader(text)).read_documents())}
    except Refused as refused:
        return {"refused": str(refused)}
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        return {"refused": where + _put_in_line(": ".join(filter(None, (error.context, error.problem))))}
    except Exception as error:  # noqa: BLE001  # whatever a parser stumbles over stands in the text
        return {"refused": _put_in_line(f"{type(error).__name__}: {error}")}


def _put_in_line(text: str) -> str:
    return " ".join(text.split())[:SHOWN]
