"""How a playbook is run inside the control machine, and what is read of its run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from pytest_itbench.domain.application import Event, EventKind

# A first run could deceive the second by what it left running, or by what Ansible loads from beside a playbook.
RUN = """
kill -9 -1 2>/dev/null
rm -rf ansible.cfg library module_utils collections group_vars host_vars ./*_plugins
exec ansible-playbook "$0"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the callback told of a run.

    Attributes:
        rest: what else stood in the stream.
        complete: whether the callback told the end, and so everything before it.
    """

    events: tuple[Event, ...]
    rest: str
    complete: bool


def playbook_command(path: str) -> list[str]:
    """The command that runs a playbook in the control machine."""
    return ["sh", "-c", RUN, path]


# What may make use of facts. Gathering them costs about as much as three tasks; modules that need some, such as
# service and package, see to that themselves, and a play that says gather_facts: true gets them.
USES_FACTS = re.compile(rb"ansible_|facts|hostvars|\bvars\b|lookup|query|include|import|setup|template|roles?\b")


def playbook_environment(mark: str, playbook: bytes) -> dict[str, str]:
    """Its environment: the harness's own configuration, and a home of its own for each run.

    With it, a second run logs in anew and meets what the first one did to sshd, and no plugin of the first.
    """
    gathering = {} if USES_FACTS.search(playbook) else {"ANSIBLE_GATHERING": "explicit"}
    return {
        **gathering,
        "ITBENCH_MARK": mark,
        "ANSIBLE_CONFIG": "/etc/ansible/ansible.cfg",
        "ANSIBLE_HOME": f"/home/ops/.ansible/{mark[:8]}",
    }


def read_events(errors: str, mark: str) -> Told:
    """Take the callback's lines, which begin with `mark`, out of stderr."""
    events: list[Event] = []
    rest: list[str] = []
    complete = False
    for line in errors.splitlines():
        if not line.startswith(mark):
            rest.append(line)
        elif line == f"{mark}end":
            complete = True
        elif event := _read_event(line.removeprefix(mark)):
            events.append(event)
    return Told(events=tuple(events), rest="\n".join(rest), complete=complete)


def _read_event(text: str) -> Event | None:
    try:
        fields = json.loads(text)
        return Event(**{**fields, "kind": EventKind(fields["kind"])})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None  # cut in the middle at the bound on output, or not written by the callback
