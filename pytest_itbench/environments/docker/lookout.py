"""What an engine knows of a machine with which there is trouble."""

from __future__ import annotations

from typing import Any

from docker.errors import NotFound

from pytest_itbench.environments.docker.blame import Evidence, Sign
from pytest_itbench.environments.docker.disk import DiskWatch
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.environments.docker.guard import Seen
from pytest_itbench.environments.docker.witness import Witness
from pytest_itbench.errors import EngineTrouble

LINES = 400


class ContainerLookout:
    """Implements `guard.Lookout` for containers of one engine."""

    def __init__(self, engine: Engine, witness: Witness, disk: DiskWatch) -> None:
        self._engine, self._witness, self._disk = engine, witness, disk
        self._begun = witness.find_start()

    def look_into(self, container: str, sign: Sign, *, applied: bool) -> Seen:
        """The container's state, compared with the witness'."""
        answers, state = True, None
        try:
            state = self._find_state(container)
        except EngineTrouble:
            answers = False
        start = self._witness.find_start() if answers else ""
        evidence = Evidence(
            sign=sign,
            applied=applied,
            answers=answers,
            exists=state is not None,
            running=bool(state and state["Running"]),
            restarted=bool(self._begun) and start != self._begun,
            accepts=answers and bool(start) and self._witness.accepts(),
            over_limit=self._find_excess(container, state or {}) if applied else "",
        )
        return Seen(evidence=evidence, status=state["ExitCode"] if state else None)

    def _find_state(self, container: str) -> dict[str, Any] | None:
        with self._engine.errors("looking at a machine"):
            try:
                state: dict[str, Any] = self._engine.api.inspect_container(container)["State"]
            except NotFound:
                return None
            return state

    def _find_excess(self, container: str, state: dict[str, Any]) -> str:
        ended = "its memory" if state.get("OOMKilled") and not state.get("Running") else ""
        return self._disk.find_excess(container) or ended

    def read_log(self, container: str) -> str:
        """The last lines of what its main process printed."""
        try:
            with self._engine.errors("reading a log"):
                content: bytes = self._engine.api.logs(container, tail=LINES)
        except EngineTrouble as trouble:
            return f"(no log: {trouble.message})"
        return content.decode(errors="replace")
