"""The text of a gate, such as ``pass@1[domain=templating] >= 0.6``, as a small tree."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from pytest_itbench.errors import OptionMistake

WITH_K = {
    "pass@": "chance that at least one of k attempts solves a scenario",
    "pass^": "chance that all of k attempts do",
}
PLAIN = {
    "score": "mean partial score, 0 to 1",
    "check_rate": "share of all checks that passed",
    "idempotent_rate": "share of second runs that changed nothing",
    "invalid_rate": "share of attempts that are invalid",
    "solved": "number of attempts that solved their scenario",
    "cost": "US dollars spent",
    "cost_per_solved": "US dollars for each scenario that was solved at least once",
    "tokens_per_solved": "tokens in and out for each such scenario",
    "seconds": "mean seconds of a scored attempt",
}
"""The figures by name, and what they are."""
SLICES = ("model", "scenario", "domain", "difficulty", "tag", "level", "temperature")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``figure operator number``: a leaf of the tree."""

    metric: str
    k: int | None
    slices: tuple[tuple[str, str], ...]
    sign: str
    bound: float

    def __str__(self) -> str:
        where = f"[{', '.join(f'{name}={value}' for name, value in self.slices)}]" if self.slices else ""
        return f"{self.metric}{self.k or ''}{where} {self.sign} {format_bound(self.bound)}"


def format_bound(bound: float) -> str:
    """A bound to its last digit and without an exponent, as a gate is written."""
    return f"{Decimal(repr(bound)).normalize():f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """At least one of them must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """All of them must hold."""

    parts: tuple[Condition, ...]


Condition = Comparison | Either | Both


def parse_gate(text: str) -> Condition:
    """Read a condition such as ``pass@1 >= 0.6 and invalid_rate <= 2%``.

    Raises:
        OptionMistake: it cannot be read; a caret stands under the place.
    """
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415  # only who has a gate needs a parser

    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        # lark gives the end the place of the last token.
        ended = getattr(getattr(error, "token", None), "type", "") == "$END"
        place = len(text.rstrip()) if ended else error.pos_in_stream
        raise OptionMistake(_point(text, place or 0, f"expected {_name_expected(error)}")) from error
    return _read(tree, text)


@cache
def _parser() -> Any:
    from lark import Lark  # noqa: PLC0415  # only who has a gate needs a parser

    grammar = files("pytest_itbench.metrics").joinpath("gates.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True)


NAMES = {
    "OPERATOR": "one of >= <= > < ==",
    "NUMBER": "a number",
    "NAME": "a name",
    "COUNT": "a whole number of at least 1",
    "VALUE": "a value",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "EQUAL": "=",
    "AND": "and",
    "OR": "or",
    "AT": "@",
    "HAT": "^",
    "PERCENT": "%",
    "$END": "the end",
}


def _name_expected(error: Any) -> str:
    found = (getattr(error, name, None) for name in ("accepts", "expected", "allowed"))
    expected = next(filter(None, found), ())
    return ", ".join(sorted(NAMES.get(str(name), str(name)) for name in expected)) or "something else"


def _point(text: str, place: int, problem: str) -> str:
    line = "".join(" " if char.isspace() else char for char in text)
    return f"--itbench-gate: {problem}\n    {line}\n    {' ' * place}^"


def _read(tree: Any, text: str) -> Condition:
    if tree.data == "comparison":
        return _read_comparison(tree, text)
    parts = tuple(_read(child, text) for child in tree.children)
    return Both(parts=parts) if tree.data == "both" else Either(parts=parts)


def _read_comparison(tree: Any, text: str) -> Comparison:
    figure, sign, number, *percent = tree.children
    name, *rest = figure.children
    slices = [part for part in rest if getattr(part, "data", None) == "slices"]
    mark = "".join(str(part) for part in rest if getattr(part, "type", "") in ("AT", "HAT"))
    count = [int(part) for part in rest if getattr(part, "type", "") == "COUNT"]
    metric = f"{name}{mark}"
    if metric not in (*PLAIN, *WITH_K):
        known = ", ".join([*(f"{each}K" for each in WITH_K), *PLAIN])
        raise OptionMistake(_point(text, name.start_pos, f"unknown figure {metric!r}; known: {known}"))
    return Comparison(
        metric=metric,
        k=count[0] if count else None,
        slices=tuple(_read_slice(part, text) for each in slices for part in each.children),
        sign=str(sign),
        bound=float(number) / (100 if percent else 1),
    )


def _read_slice(tree: Any, text: str) -> tuple[str, str]:
    name, value = tree.children
    if name not in SLICES:
        problem = f"unknown slice {str(name)!r}; known: {', '.join(SLICES)}"
        raise OptionMistake(_point(text, name.start_pos, problem))
    return str(name), str(value).strip()


def find_ks(condition: Condition) -> set[int]:
    """The k of every pass@k and pass^k in a condition."""
    if isinstance(condition, Comparison):
        return {condition.k} if condition.k else set()
    return {k for part in condition.parts for k in find_ks(part)}
