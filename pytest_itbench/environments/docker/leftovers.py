"""What runs leave on an engine: removed when an attempt ends, swept when a run was killed, kept when asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from docker.errors import DockerException
from docker.models.containers import Container
from docker.models.networks import Network

from pytest_itbench.environments.docker.engine import LABEL, Engine

LOG = logging.getLogger(__name__)
KEPT = "itbench-kept-"
"""How the names of containers begin that were kept on purpose: a label cannot be changed later, a name can."""

Thing = Container | Network


def remove_attempt(engine: Engine, containers: Sequence[str], network: str) -> None:
    """Remove what an attempt made, at once and without a word to it; what fails is left to the sweep."""
    for container in containers:
        _try(f"removing {container}", lambda name=container: engine.api.remove_container(name, force=True, v=True))
    _try(f"removing {network}", lambda: engine.api.remove_network(network))


def _try(doing: str, call: Any) -> bool:
    try:
        call()
    except (DockerException, OSError) as error:
        LOG.debug("%s: %s", doing, error)
        return False
    return True


def find_left(engine: Engine, label: str) -> list[Thing]:
    """What carries a label and was not kept, containers first: a network can be removed only when it is empty.

    Raises:
        EngineTrouble
    """
    return [thing for thing in _find_things(engine, label) if not str(thing.name).startswith(KEPT)]


def find_kept(engine: Engine) -> list[Thing]:
    """What was kept, with its networks.

    Raises:
        EngineTrouble
    """
    things = _find_things(engine, f"{LABEL}.owner")
    containers = [thing for thing in things if isinstance(thing, Container) and str(thing.name).startswith(KEPT)]
    networks = {read_labels(container).get(f"{LABEL}.network") for container in containers}
    return [*containers, *(thing for thing in things if isinstance(thing, Network) and thing.name in networks)]


def _find_things(engine: Engine, label: str) -> list[Thing]:
    chosen: dict[str, str | list[str] | bool] = {"label": label}
    with engine.errors("looking for what runs left behind"):
        client = engine.client
        return [
            *client.containers.list(all=True, filters=chosen, ignore_removed=True),
            *client.networks.list(filters=chosen),
        ]


def remove_all(things: Sequence[Thing]) -> list[str]:
    """Remove things; gives the names of those that were there and are gone."""
    return list(_remove_each(things))


def _remove_each(things: Sequence[Thing]) -> Iterator[str]:
    for thing in things:
        name = str(thing.name)
        if isinstance(thing, Container):
            done = _try(f"removing {name}", lambda container=thing: container.remove(force=True, v=True))
        else:
            done = _try(f"removing {name}", thing.remove)
        if done:
            yield name


def read_labels(thing: Thing) -> Mapping[str, str]:
    """Its labels."""
    if isinstance(thing, Container):
        return dict(thing.labels)
    return dict(thing.attrs.get("Labels") or {})


def keep_machines(engine: Engine, containers: Sequence[str], first: str) -> str:
    """Take containers out of every sweep's reach; gives the command to enter the first host.

    Raises:
        EngineTrouble
    """
    names = {container: container.replace("itbench-", KEPT, 1) for container in containers}
    with engine.errors("keeping an environment"):
        for container, name in names.items():
            engine.api.rename(container, name)
            engine.api.start(name)  # the control machine has been ended; a running one stays as it is
    where = "" if engine.is_local else f"-H {engine.name} "
    return f"docker {where}exec -it {names[first]} bash"
