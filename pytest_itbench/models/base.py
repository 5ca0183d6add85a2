"""What a model offers to the rest of the package."""

from __future__ import annotations

from typing import Protocol

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request


class Model(Protocol):
    """Answers requests, each of them independent of all others."""

    def ask(self, request: Request) -> Reply:
        """Answer one request.

        Raises:
            ProviderTrouble: there is no answer, and that is not the model's doing.
        """


class ModelFactory(Protocol):
    """What an entry point of ``pytest_itbench.models`` names.

    It may have an attribute ``costly``: when that is true, replies are recorded and used again. With an attribute
    ``at_once``, too, requests are sent ahead of need by the process that the user started, at most so many at a time.
    It may have a static method ``serve(choice, cache_directory) -> Launch``: then the run starts that server once, and
    each model finds its address in ``choice.options["base_url"]``.
    """

    def __call__(self, choice: ModelChoice) -> Model:
        """Make the model; asks no network.

        Raises:
            OptionMistake: the choice cannot be used.
        """
