"""A container that no candidate can reach: what happens to it, the engine has done.

There is one for each run and engine. A host that stops while the witness goes on was stopped from inside; one that
stops together with it was stopped by the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from docker.errors import NotFound

from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.errors import EngineTrouble

MEMORY = 64 * 1024**2
PROBE_TIMEOUT = 10.0


class Witness:
    """The witness of a run on one engine; any process of the run may use it, whoever comes first starts it."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine, self._labels = engine, {LABEL: "witness", f"{LABEL}.owner": owner}
        self.name = "itbench-witness-" + "".join(letter if letter.isalnum() else "-" for letter in owner)[-60:]

    def start(self, image: str) -> None:
        """See that it runs.

        Raises:
            EngineTrouble
        """
        state = self._find_state()
        if state is None:
            with suppress(EngineTrouble), self._engine.errors("starting the run's witness"):
                self._create(image)  # another process may be quicker
        elif not state["Running"]:
            with self._engine.errors("starting the run's witness"):
                self._engine.api.start(self.name)

    def _create(self, image: str) -> None:
        self._engine.client.containers.run(
            image,
            ["sleep", "infinity"],
            name=self.name,
            detach=True,
            init=True,
            network_mode="none",
            cap_drop=["ALL"],
            mem_limit=MEMORY,
            pids_limit=16,
            labels=self._labels,
        )

    def find_start(self) -> str:
        """When it was started last, in the engine's words; empty while it does not run."""
        state = self._find_state()
        return str(state["StartedAt"]) if state and state["Running"] else ""

    def accepts(self) -> bool:
        """Whether the engine runs commands in it."""
        try:
            return self._engine.run(self.name, ["true"], timeout=PROBE_TIMEOUT).status == 0
        except EngineTrouble:
            return False

    def _find_state(self) -> Mapping[str, Any] | None:
        with self._engine.errors("looking at the run's witness"):
            try:
                state: Mapping[str, Any] = self._engine.api.inspect_container(self.name)["State"]
            except NotFound:
                return None
            return state
