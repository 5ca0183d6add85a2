"""Any endpoint that speaks OpenAI's chat protocol, through pydantic-ai."""

from __future__ import annotations

from openai import OpenAIError
from pydantic_ai.direct import model_request_sync
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, SystemPromptPart, UserPromptPart
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.providers.openai import OpenAIProvider

from pytest_itbench.domain.candidate import ModelChoice, Reply, Request
from pytest_itbench.domain.outcome import Usage
from pytest_itbench.errors import OptionMistake, ProviderTrouble


class OpenAI:
    """Asks a chat model; address and key from --itbench-base-url, OPENAI_BASE_URL and OPENAI_API_KEY."""

    def __init__(self, choice: ModelChoice) -> None:
        if not choice.name:
            raise OptionMistake("openai: needs a model's name, as in openai:gpt-5.2")
        try:
            self._model = OpenAIChatModel(choice.name, provider=OpenAIProvider(base_url=choice.options.get("base_url")))
        except (UserError, OpenAIError) as error:
            what = "set OPENAI_API_KEY, or --itbench-base-url for a server that needs no key"
            raise OptionMistake(f"openai:{choice.name} cannot be asked: {what}") from error
        self._settings = OpenAIChatModelSettings(timeout=choice.timeout)
        if choice.sampling.temperature is not None:
            self._settings["temperature"] = choice.sampling.temperature
        if choice.sampling.max_tokens is not None:
            self._settings["max_tokens"] = choice.sampling.max_tokens

    def ask(self, request: Request) -> Reply:
        """One chat completion. The client library retries what its provider calls temporary."""
        prompt = request.prompt
        messages: list[ModelMessage] = [ModelRequest([SystemPromptPart(prompt.system), UserPromptPart(prompt.user)])]
        try:
            response = model_request_sync(self._model, messages, model_settings=self._settings)
        except (AgentRunError, OpenAIError) as error:
            text = " ".join(str(error).split())[:1000]
            raise ProviderTrouble(f"{self._model.model_name} gave no reply: {type(error).__name__}: {text}") from error
        return Reply(text=response.text or "", usage=_read_usage(response))


def _read_usage(response: ModelResponse) -> Usage:
    usage = response.usage
    return Usage(requests=1, input_tokens=usage.input_tokens or None, output_tokens=usage.output_tokens or None)
