"""What a model is told: standing instructions, the scenario's task, its environment, and how to answer."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pytest_itbench.domain.candidate import Prompt
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.loading.prompt_file import render_block

ANSIBLE = "ansible-core 2.20"

SYSTEM = (
    "You are an experienced system administrator who automates with Ansible. "
    "You answer with a working playbook that brings the hosts into the state that is asked for, and does nothing else."
)


def render_prompt(scenario: Scenario, level: int, system: str = "") -> Prompt:
    """The prompt of one level of detail, 1 (a sentence) to 3 (every point on its own).

    `system` takes the place of the usual standing instructions.

    Raises:
        jinja2.TemplateError: the scenario's template uses a name that it is not given.
    """
    values = {"scenario": scenario, "hosts": {host.name: host for host in scenario.hosts}}
    task = render_block(scenario.prompt, level, values)
    user = _frame().render(task=task, hosts=scenario.hosts, idempotent=scenario.idempotent, ansible=ANSIBLE)
    return Prompt(system=system or SYSTEM, user=user)


@cache
def _frame() -> Template:
    loader = PackageLoader("pytest_itbench.solvers")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  # not HTML
    return environment.get_template("playbook.md.j2")
