"""Models behind a server that the run started for them."""

from __future__ import annotations

from dataclasses import replace

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.errors import ProviderTrouble
from pytest_itbench.models.base import Model
from pytest_itbench.models.provider import Provider
from pytest_itbench.models.server import ModelServer

NOWHERE = "http://127.0.0.1:9/v1"
"""Until the server has an address; nobody is asked before."""


class Served(Provider):
    """Asks the server by OpenAI's protocol; it needs no key."""

    def __init__(self, choice: ModelChoice) -> None:
        options = {"base_url": NOWHERE, **choice.options, "api_key": "none"}
        super().__init__(replace(choice, kind="openai", options=options))


class Watched:
    """A model whose server may end: then there is no use in asking again, and the server's log says why."""

    def __init__(self, model: Model, server: ModelServer) -> None:
        self._model, self._server = model, server

    def ask(self, request: Request) -> Reply:
        """One reply.

        Raises:
            ProviderTrouble: there is none.
        """
        try:
            return self._model.ask(request)
        except ProviderTrouble as trouble:
            if ended := self._server.describe_end():
                raise ProviderTrouble(ended) from trouble
            raise
