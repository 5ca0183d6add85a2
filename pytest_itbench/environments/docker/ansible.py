"""How a playbook is run inside the control machine, and what is read of its run."""

from __future__ import annotations

import json

from pytest_itbench.domain.application import Event, EventKind


def playbook_command(path: str) -> list[str]:
    """The command that runs a playbook in the control machine."""
    return ["ansible-playbook", path]


def read_events(errors: str, mark: str) -> tuple[tuple[Event, ...], str]:
    """Take the callback's lines, which begin with `mark`, out of stderr; gives them and the rest."""
    events, rest = [], []
    for line in errors.splitlines():
        event = _read_event(line.removeprefix(mark)) if line.startswith(mark) else None
        if event:
            events.append(event)
        else:
            rest.append(line)
    return tuple(events), "\n".join(rest)


def _read_event(text: str) -> Event | None:
    try:
        fields = json.loads(text)
        return Event(**{**fields, "kind": EventKind(fields["kind"])})
    except (ValueError, TypeError, KeyError):
        return None  # cut in the middle at the bound on output
