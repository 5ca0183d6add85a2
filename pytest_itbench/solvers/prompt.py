"""What a model is told: standing instructions, the scenario's task, its environment, and how to answer."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pytest_itbench.domain.candidate import Prompt
from pytest_itbench.domain.scenario import CandidateKind, Scenario
from pytest_itbench.loading.prompt_file import render_block

ANSIBLE = "ansible-core 2.20"

SYSTEMS = {
    CandidateKind.PLAYBOOK: (
        "You are an experienced system administrator who automates with Ansible. You answer with a working playbook "
        "that brings the hosts into the state that is asked for, and does nothing else."
    ),
    CandidateKind.SCRIPT: (
        "You are an experienced site reliability engineer who works on Kubernetes. You answer with a working script "
        "that puts right what is wrong, and changes nothing else."
    ),
    CandidateKind.MANIFESTS: (
        "You are an experienced site reliability engineer who works on Kubernetes. You answer with manifests that "
        "bring the cluster into the state that is asked for, and change nothing else."
    ),
    CandidateKind.EVIDENCE: (
        "You are an experienced compliance engineer who works on Kubernetes. You answer with a script that collects "
        "evidence and a policy that judges it."
    ),
    CandidateKind.AUDIT: (
        "You are an experienced compliance engineer who works on Linux hosts. You answer with an Ansible playbook that "
        "collects evidence and a policy that judges it."
    ),
    CandidateKind.POLICY: (
        "You are an experienced compliance engineer who works on Kubernetes. You answer with a Kyverno policy that "
        "finds what violates the requirement, and nothing else."
    ),
    CandidateKind.ANSWER: (
        "You are an experienced engineer who analyses operational data. You answer with the result of your analysis "
        "as JSON in the form that is asked for."
    ),
}
"""Standing instructions by what is asked for."""


def render_prompt(scenario: Scenario, level: int, system: str = "") -> Prompt:
    """The prompt of one level of detail, 1 (a sentence) to 3 (every point on its own).

    `system` takes the place of the usual standing instructions.

    Raises:
        jinja2.TemplateError: the scenario's template uses a name that it is not given.
    """
    values = {"scenario": scenario, "hosts": {host.name: host for host in scenario.hosts}}
    task = render_block(scenario.prompt, level, values)
    user = _frame(scenario.candidate).render(task=task, scenario=scenario, ansible=ANSIBLE)
    return Prompt(system=system or SYSTEMS[scenario.candidate], user=user)


@cache
def _frame(kind: CandidateKind) -> Template:
    loader = PackageLoader("pytest_itbench.solvers")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  # not HTML
    return environment.get_template(f"{kind}.md.j2")
