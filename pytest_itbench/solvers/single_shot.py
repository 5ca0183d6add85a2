"""The plainest solver: one request, one reply, one candidate."""

from __future__ import annotations

from pytest_itbench.domain.candidate import Proposal, Request
from pytest_itbench.models.base import Model
from pytest_itbench.solvers.extraction import NoCandidate, take_candidate


class SingleShot:
    """Asks a model once and takes the candidate from what it says."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def propose(self, request: Request) -> Proposal:
        """One independent request."""
        reply = self._model.ask(request)
        try:
            candidate = take_candidate(reply, request.scenario.candidate)
        except NoCandidate as problem:
            return Proposal(
                prompt=request.prompt,
                reply=reply,
                candidate=None,
                failure=problem.kind,
                problem=str(problem),
            )
        return Proposal(prompt=request.prompt, reply=reply, candidate=candidate)
