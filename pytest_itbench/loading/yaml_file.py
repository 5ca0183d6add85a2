"""YAML as plain values, and the line at which each of them stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pytest_itbench.errors import ScenarioMistake

# The C parser is six times as fast; PyYAML has it wherever libyaml was present at its build.
SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Location = tuple[str | int, ...]


class StrictLoader(SafeLoader):  # type: ignore[misc,valid-type]  # the base is chosen at run time
    """The safe loader, which also refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # PyYAML's own
        """Build one mapping.

        Raises:
            yaml.constructor.ConstructorError: a key stands twice.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a file that holds one mapping.

    Raises:
        ScenarioMistake: the file cannot be read, is not YAML, or holds something else.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506  # it is a safe loader
    except OSError as error:
        raise ScenarioMistake(path, None, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioMistake(path, None, f"is not UTF-8 text: {error.reason}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ScenarioMistake(path, line, f"is not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ScenarioMistake(path, None, f"is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ScenarioMistake(path, 1, f"a mapping is expected here, not {type(content).__name__}")
    return content


def find_line(path: Path, location: Location) -> int:
    """The line, counted from 1, of what lies at `location`, or of the nearest thing around it."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=SafeLoader)
    line = 1
    for step in location:
        found = _step_into(node, step)
        if found is None:
            break
        line, node = found
    return line


def _step_into(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None
