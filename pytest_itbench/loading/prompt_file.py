"""A scenario's ``prompt.md.j2``: one Jinja2 template, in which each level of detail is a block."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.nodes import Block

LEVELS = (1, 2, 3)


@cache
def template_environment() -> Environment:
    """Where all prompts are compiled; a name that nobody defined is an error, not an empty string."""
    return Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701  # prompts are not HTML


@cache
def load_template(path: Path) -> Template:
    """Compile a prompt.

    Raises:
        jinja2.TemplateError: it is not a valid template.
    """
    return template_environment().from_string(path.read_text(encoding="utf-8"))


def find_prompt_problem(path: Path) -> tuple[int | None, str] | None:
    """The line and the problem of a template that cannot be used; None when all is well."""
    try:  # parsed but not compiled, because collection looks at every scenario and renders none
        parsed = template_environment().parse(path.read_text(encoding="utf-8"))
    except TemplateSyntaxError as error:
        return error.lineno, f"is not a valid template: {error.message}"
    except (TemplateError, UnicodeDecodeError) as error:
        return None, f"is not a valid template: {error}"
    blocks = {block.name for block in parsed.find_all(Block)}
    missing = [f"level_{level}" for level in LEVELS if f"level_{level}" not in blocks]
    return (None, f"block {', '.join(missing)} is missing") if missing else None


def render_block(path: Path, level: int, values: dict[str, Any]) -> str:
    """Render the block of one level of detail.

    Raises:
        jinja2.TemplateError: it uses a name that is not in `values`.
    """
    template = load_template(path)
    return "".join(template.blocks[f"level_{level}"](template.new_context(values))).strip()
