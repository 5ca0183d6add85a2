"""Hosted models and servers of one's own, through pydantic-ai: the kind is its name for the provider."""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from typing import Any

from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelServerError,
    ModelUnavailableError,
    UserError,
)
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, SystemPromptPart, UserPromptPart
from pydantic_ai.models import Model, infer_model
from pydantic_ai.settings import ModelSettings

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.domain.outcome import Usage
from pytest_itbench.errors import MissingExtra, OptionMistake, ProviderTrouble
from pytest_itbench.redaction import learn_secrets, redact

KEYS = {
    "anthropic": "ANTHROPIC_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION",
    "bedrock": "AWS_DEFAULT_REGION and the usual AWS credentials",
    "cohere": "CO_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "google": "GOOGLE_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "ollama": "OLLAMA_BASE_URL, as in http://localhost:11434/v1",
    "openai": "OPENAI_API_KEY, or --itbench-base-url for a server that needs no key",
    "openrouter": "OPENROUTER_API_KEY",
}
"""What each provider wants to have set; also the list of the kinds."""

TOO_MANY = 429
BUSY = (408, 409, 425, 500, 502, 503, 504, 529)
PASSING = (ModelConnectionError, ModelServerError, ModelUnavailableError)
MILLION = 1_000_000
Price = tuple[float, float]
"""US dollars per million tokens: in, out."""

_STARTING = threading.Lock()
STANDARD = frozenset(ModelSettings.__annotations__)


class Provider:
    """Asks a model of a provider; keys come from the provider's usual environment variables."""

    costly = True
    at_once = 1_000
    """As many as the run's gate lets through."""

    def __init__(self, choice: ModelChoice) -> None:
        if not choice.name:
            raise OptionMistake(f"{choice.kind}: needs a model's name, as in openai:gpt-5.2")
        self._choice = choice
        self._model = _build(choice)
        self._settings = build_settings(choice)

    def ask(self, request: Request) -> Reply:
        """One chat completion, asked once; the gate decides whether it is asked again."""
        prompt = request.prompt
        messages: list[ModelMessage] = [ModelRequest([SystemPromptPart(prompt.system), UserPromptPart(prompt.user)])]
        try:
            asking = model_request(self._model, messages, model_settings=self._settings)
            response = asyncio.run_coroutine_threadsafe(asking, find_loop()).result()
        except AgentRunError as error:
            raise ProviderTrouble(
                f"{self._choice.label} gave no reply: {' '.join(str(error).split())[:1000]}",
                temporary=isinstance(error, PASSING) or _has_status(error, *BUSY),
                limited=isinstance(error, ModelRateLimitError) or _has_status(error, TOO_MANY),
                retry_after=getattr(error, "retry_after", None),
            ) from error
        learn_secrets()
        return Reply(
            text=redact(response.text or ""),
            usage=_read_usage(response, self._choice.options.get("price")),
            finish=response.finish_reason or "",
        )


def find_loop() -> asyncio.AbstractEventLoop:
    """The one event loop for all requests of this process: an SDK's connections belong to the loop that made them."""
    with _STARTING:  # a cache alone lets two threads that ask first make two of them
        return _start_loop()


@cache
def _start_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="itbench-requests", daemon=True).start()
    return loop


def _build(choice: ModelChoice) -> Model:
    try:
        if choice.kind == "openai":
            # The chat protocol, not OpenAI's own newer one: it is what servers of one's own speak.
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider

            access = {name: choice.options.get(name) for name in ("base_url", "api_key")}
            return OpenAIChatModel(choice.name, provider=OpenAIProvider(**access))
        return infer_model(f"{choice.kind}:{choice.name}")
    except ImportError as error:
        raise MissingExtra(f"model {choice.kind!r}", choice.kind, error.name or choice.kind) from error
    except Exception as error:  # each SDK complains of a missing key in its own way
        if not isinstance(error, UserError) and "key" not in str(error).lower() and "region" not in str(error).lower():
            raise OptionMistake(f"{choice.kind}:{choice.name}: {' '.join(str(error).split())}") from error
        raise OptionMistake(f"{choice.kind}:{choice.name} cannot be asked: set {KEYS[choice.kind]}") from error


def build_settings(choice: ModelChoice) -> ModelSettings:
    """Sampling as pydantic-ai takes it; parameters that it does not know go into the request's body as they are."""
    sampling = choice.sampling
    given: dict[str, Any] = {
        "timeout": choice.timeout,
        "max_retries": 0,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
        "stop_sequences": list(sampling.stop) or None,
    }
    given |= {name: value for name, value in sampling.parameters if name in STANDARD}
    body = {name: value for name, value in sampling.parameters if name not in STANDARD}
    settings: Any = {name: value for name, value in given.items() if value is not None}
    if body:
        settings["extra_body"] = body
    checked: ModelSettings = settings
    return checked


def _has_status(error: Exception, *statuses: int) -> bool:
    return getattr(error, "status_code", None) in statuses


def _read_usage(response: ModelResponse, price: Price | None) -> Usage:
    usage = response.usage
    tokens = {"input_tokens": usage.input_tokens or None, "output_tokens": usage.output_tokens or None}
    return Usage(requests=1, cost=_find_cost(response, price), **tokens)


def _find_cost(response: ModelResponse, price: Price | None) -> float | None:
    """US dollars, by the given price or else by genai-prices' table; None where it does not know the model."""
    if price:
        return (response.usage.input_tokens * price[0] + response.usage.output_tokens * price[1]) / MILLION
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError, AssertionError):
        return None
