"""What there is one of in a run, for all its processes: by a socket of this machine."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.managers import BaseManager, Server
from typing import Any, NamedTuple, Protocol, cast

from pytest_itbench.environments.routing import Admissions, AdmissionsKeeper
from pytest_itbench.models.dispatcher import Dispatcher
from pytest_itbench.models.gate import Gate, GateKeeper
from pytest_itbench.models.recording import Fetch

EXPOSED = {
    "admissions": ("enter", "leave"),
    "gate": ("enter", "leave"),
    "dispatcher": ("fetch",),
    "stop": ("is_settled",),
}


class Stop(Protocol):
    """What says that attempts are not needed any more."""

    def is_settled(self, model: str) -> bool:
        """Whether a model's remaining attempts can be left out."""


class Shared(NamedTuple):
    """The run's things as a worker reaches them; without `stop`, every attempt is needed."""

    admissions: AdmissionsKeeper
    gate: GateKeeper
    fetch: Fetch
    stop: Stop | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where they are reached: a socket, the key that proves a worker, and whether attempts may be left out."""

    place: str
    key: str
    stops: bool = False


@contextmanager
def serve_shared(
    admissions: Admissions, gate: Gate, dispatcher: Dispatcher, stop: Stop | None = None
) -> Iterator[Address]:
    """Let other processes of this machine use them while the block runs."""

    class Serving(BaseManager):
        """A type of its own, because what it serves is registered with the type."""

    for name, thing in (("admissions", admissions), ("gate", gate), ("dispatcher", dispatcher), ("stop", stop)):
        Serving.register(name, callable=lambda thing=thing: thing, exposed=EXPOSED[name])
    key = secrets.token_bytes(32)
    server = Serving(authkey=key).get_server()
    thread = threading.Thread(target=_serve, args=(server,), name="itbench-shared", daemon=True)
    thread.start()
    try:
        yield Address(place=str(server.address), key=key.hex(), stops=stop is not None)
    finally:
        server.stop_event.set()  # type: ignore[attr-defined]  # set by serve_forever


def _serve(server: Server) -> None:
    server.stop_event = threading.Event()  # type: ignore[attr-defined]  # before anybody can set it
    try:
        server.serve_forever()
    except SystemExit:  # how serve_forever ends
        return


class Reaching(BaseManager):
    """A worker's end of the socket."""


for _name, _exposed in EXPOSED.items():
    Reaching.register(_name, exposed=_exposed)


def reach_shared(address: Address) -> Shared:
    """What another process serves.

    Raises:
        ConnectionError: that process is gone.
    """
    manager = Reaching(address=address.place, authkey=bytes.fromhex(address.key))
    manager.connect()
    reached = cast("Any", manager)
    stop = cast("Stop", reached.stop()) if address.stops else None
    admissions, gate = cast("AdmissionsKeeper", reached.admissions()), cast("GateKeeper", reached.gate())
    return Shared(admissions, gate, cast("Fetch", reached.dispatcher().fetch), stop)
