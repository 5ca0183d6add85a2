"""A model that the user's own conftest provides."""

from __future__ import annotations

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.errors import ProviderTrouble


class Fixture:
    """Stands for the fixture ``itbench_model`` of a conftest; asked only when there is none."""

    def __init__(self, choice: ModelChoice) -> None:
        self._choice = choice

    def ask(self, request: Request) -> Reply:
        """Say that the conftest does not do its part."""
        place = request.scenario.directory
        raise ProviderTrouble(f"no conftest.py around {place} defines the fixture itbench_model")
