"""What the user calls a model: ``[LABEL=]KIND[:NAME]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from pytest_itbench.domain.candidate import ModelChoice
from pytest_itbench.errors import OptionMistake
from pytest_itbench.models.base import Model
from pytest_itbench.redaction import learn_secrets
from pytest_itbench.registry import find_implementation

if TYPE_CHECKING:
    from pytest_itbench.models.server import Launch  # it needs an HTTP library that is not always there

GROUP = "models"
FILES = ("replay", "script", "file", "local")
"""The kinds whose models' names are paths, whatever they look like."""
LONGEST_LABEL = 60
"""Labels are names of directories too."""
SPEC = re.compile(r"^(?:(?P<label>[A-Za-z0-9][\w.-]{0,59})=)?(?P<kind>[a-z][a-z0-9_-]*)(?::(?P<name>.*))?$", re.DOTALL)


def parse_model(spec: str) -> ModelChoice:
    """Read one model's specification.

    Raises:
        OptionMistake: it is not of the form ``[LABEL=]KIND[:NAME]``.
    """
    match = SPEC.match(spec.strip())
    if not match:
        raise OptionMistake(f"model {spec!r} is not of the form KIND[:NAME] or LABEL=KIND[:NAME], as in openai:gpt-5.2")
    kind, name = match["kind"], match["name"] or ""
    return ModelChoice(label=match["label"] or _make_label(kind, name), kind=kind, name=name)


def parse_models(specs: Sequence[str]) -> tuple[ModelChoice, ...]:
    """Read all models of a run and give each its own label.

    Raises:
        OptionMistake: a specification is wrong, or a label was given twice.
    """
    choices: list[ModelChoice] = []
    for spec in specs:
        choice = parse_model(spec)
        taken = {other.label for other in choices}
        if choice.label in taken and spec.startswith(f"{choice.label}="):
            raise OptionMistake(f"two models have the label {choice.label!r}")
        label, number = choice.label, 2
        while label in taken:
            label, number = f"{choice.label}-{number}", number + 1
        choices.append(replace(choice, label=label))
    return tuple(choices)


def set_prices(choices: Sequence[ModelChoice], prices: Mapping[str, tuple[float, float]]) -> list[ModelChoice]:
    """Give models the prices that the user named them by label.

    Raises:
        OptionMistake: a label is not that of any model.
    """
    labels = [choice.label for choice in choices]
    for label in prices:
        if label not in labels:
            raise OptionMistake(f"--itbench-price: no model has the label {label!r}; labels: {', '.join(labels)}")
    return [
        replace(choice, options={**choice.options, "price": prices[choice.label]}) if choice.label in prices else choice
        for choice in choices
    ]


def sweep(
    choices: Sequence[ModelChoice], temperatures: Sequence[float], levels: Sequence[int]
) -> tuple[ModelChoice, ...]:
    """Each model at each temperature and level; what there are several of stands in the label."""
    made = []
    for choice in choices:
        for level in dict.fromkeys(levels):
            for temperature in dict.fromkeys(temperatures or (None,)):
                label = choice.label
                label += f"-t{temperature:g}" if temperature is not None and len(set(temperatures)) > 1 else ""
                label += f"-l{level}" if len(set(levels)) > 1 else ""
                sampling = replace(choice.sampling, temperature=temperature)
                made.append(replace(choice, label=label, level=level, sampling=sampling))
    return tuple(made)


def is_costly(choice: ModelChoice) -> bool:
    """Whether asking the model costs money or time, so that its replies are recorded.

    Raises:
        UnknownName, MissingExtra
    """
    return bool(getattr(find_implementation(GROUP, choice.kind), "costly", False))


def count_at_once(choice: ModelChoice) -> int:
    """The most requests that may be sent at once, ahead of need; 0 where none may be sent ahead.

    Raises:
        UnknownName, MissingExtra
    """
    return int(getattr(find_implementation(GROUP, choice.kind), "at_once", 0))


def find_server(choice: ModelChoice) -> Callable[[ModelChoice, Path], Launch] | None:
    """How the model's server is started, if the run has to start one.

    Raises:
        UnknownName, MissingExtra
    """
    serve: Callable[[ModelChoice, Path], Launch] | None = getattr(
        find_implementation(GROUP, choice.kind), "serve", None
    )
    return serve


def build_model(choice: ModelChoice) -> Model:
    """Make the model.

    Raises:
        UnknownName, MissingExtra, OptionMistake
    """
    model: Model = find_implementation(GROUP, choice.kind)(choice)
    learn_secrets()  # whoever made it may have read a key from somewhere
    return model


def is_local(name: str) -> bool:
    """Whether a model's name is a path of this machine, rather than one that a provider or a hub knows."""
    return name.startswith(("/", ".", "~"))


def _make_label(kind: str, name: str) -> str:
    """A name for node ids and tables: no brackets, no @, no slashes."""
    if not name:
        return kind
    short = PurePath(name.split(maxsplit=1)[0]).stem if kind in FILES or is_local(name) else name
    return re.sub(r"[^\w.-]+", "-", f"{kind}-{short}").strip("-")[:LONGEST_LABEL]
