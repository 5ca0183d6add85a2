"""A model behind the run's gate: in turn, within the budget, tried again when the trouble may pass."""

from __future__ import annotations

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from pytest_itbench.domain.candidate import Reply, Request
from pytest_itbench.errors import BudgetSpent, ProviderTrouble
from pytest_itbench.models.base import Model
from pytest_itbench.models.gate import GateKeeper

LONGEST_WAIT = 60.0


class Gated:
    """Asks a model through the gate, at most 1 + `retries` times."""

    def __init__(self, model: Model, gate: GateKeeper, holder: str, retries: int) -> None:
        self._model, self._gate, self._holder = model, gate, holder
        self._retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, ProviderTrouble) and error.temporary),
            stop=stop_after_attempt(1 + retries),
            wait=_wait,
            reraise=True,
        )

    def ask(self, request: Request) -> Reply:
        """One reply.

        Raises:
            BudgetSpent: nothing may be spent any more.
            ProviderTrouble: there is no reply, also not after all tries.
        """
        return self._retrying(self._ask_once, request)

    def _ask_once(self, request: Request) -> Reply:
        if exhausted := self._gate.enter(self._holder):
            raise BudgetSpent(exhausted, hint="raise --itbench-budget; what was answered so far is recorded")
        limited, tokens, dollars, answered = False, 0, 0.0, False
        try:
            reply = self._model.ask(request)
        except ProviderTrouble as trouble:
            limited = trouble.limited
            raise
        else:
            usage, answered = reply.usage, True
            tokens, dollars = (usage.input_tokens or 0) + (usage.output_tokens or 0), usage.cost or 0.0
            return reply
        finally:
            self._gate.leave(self._holder, limited, tokens, dollars, answered)


_BACKOFF = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)


def _wait(state: RetryCallState) -> float:
    """What the provider asks for, if it says so; else exponential with full jitter. Seconds."""
    trouble = state.outcome.exception() if state.outcome else None
    asked = trouble.retry_after if isinstance(trouble, ProviderTrouble) else None
    return min(LONGEST_WAIT, asked) if asked is not None else _BACKOFF(state)
