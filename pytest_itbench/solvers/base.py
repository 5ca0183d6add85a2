"""What a solver offers to the rest of the package."""

from __future__ import annotations

from typing import Protocol

from pytest_itbench.domain.candidate import Proposal, Request


class Solver(Protocol):
    """Comes up with a candidate, or says why there is none."""

    def propose(self, request: Request) -> Proposal:
        """Work on one request, independent of all others.

        Raises:
            ProviderTrouble: the model could not be asked.
        """
