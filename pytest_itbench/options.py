"""Every option once: this table drives flags, ini keys, environment variables and the documentation.

The command line beats the environment, which beats the ini file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pytest

from pytest_itbench.option_values import (
    read_amount,
    read_arguments,
    read_budget,
    read_cluster,
    read_count,
    read_counts,
    read_level,
    read_margin,
    read_name,
    read_natural,
    read_parameter,
    read_price,
    read_record_mode,
    read_seconds,
    read_shard,
    read_share,
    read_temperature,
    read_text,
    read_verdict,
    read_whole,
)

GROUP = "pytest-itbench: models on IT work"


class Option(NamedTuple):
    """One option.

    Attributes:
        name: its ini key; the flag and the environment variable follow from it.
        read: turns text into the value; raises ValueError with the reason when it cannot.
        default: as text; None when there is no value unless one is given.
        many: the flag may be repeated; in the environment and the ini file, one a line.
        switch: the flag takes no value.
    """

    name: str
    help: str
    metavar: str = "TEXT"
    read: Callable[[str], Any] = str
    default: str | None = None
    many: bool = False
    switch: bool = False

    @property
    def flag(self) -> str:
        """As on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """As in the environment."""
        return "PYTEST_" + self.name.upper()


OPTIONS = (
    Option(
        "itbench_model",
        "a model to try, as [LABEL=]KIND[:NAME]: oracle, noop, openai:NAME, replay:FILE, file:PLAYBOOK, script:COMMAND,"
        " fixture:NAME; may be repeated. Without any, scenarios are not collected",
        "SPEC",
        many=True,
    ),
    Option(
        "itbench_attempts",
        "independent attempts per scenario and model; one unless given, or as many as a file of candidates holds",
        "N",
        read_count,
    ),
    Option(
        "itbench_level",
        "the prompt's level of detail: 1 a sentence, 2 a paragraph, 3 every point; several are tried side by side",
        "1-3",
        read_level,
        "2",
        many=True,
    ),
    Option(
        "itbench_k",
        "the k of pass@k to report; by default those of 1,3,5,10 that the attempts allow",
        "K,…",
        read_counts,
    ),
    Option("itbench_base_url", "the address of an OpenAI-compatible endpoint", "URL"),
    Option(
        "itbench_temperature",
        "sampling temperature; the provider's own choice unless given; several are tried side by side",
        "T",
        read_temperature,
        many=True,
    ),
    Option("itbench_top_p", "draw from the likeliest tokens that make up this share", "P", read_share),
    Option("itbench_seed", "seed of the draw, for providers that take one", "N", read_whole),
    Option("itbench_stop", "a text at which a reply ends; may be repeated", "TEXT", many=True),
    Option(
        "itbench_param",
        "one more parameter of the request, as KEY=VALUE; the value is JSON or plain text; may be repeated",
        "KEY=VALUE",
        read_parameter,
        many=True,
    ),
    Option("itbench_system", "standing instructions in place of the usual ones; @FILE reads them", "TEXT", read_text),
    Option(
        "itbench_max_tokens", "the longest reply in tokens; the provider's own choice unless given", "N", read_count
    ),
    Option("itbench_model_timeout", "seconds to wait for one reply", "S", read_seconds, "300"),
    Option("itbench_concurrency", "requests to providers at once, of all workers together", "N", read_count, "8"),
    Option("itbench_retries", "how often a request is tried again when the trouble may pass", "N", read_natural, "4"),
    Option(
        "itbench_budget",
        "what all requests together may spend: 5usd, 2M-tokens, 300-requests or 30min; may be repeated."
        " When it is spent, the remaining attempts are not run",
        "AMOUNT",
        read_budget,
        many=True,
    ),
    Option(
        "itbench_price",
        "a model's price in US dollars per million tokens in and out, as LABEL=IN/OUT; may be repeated",
        "LABEL=IN/OUT",
        read_price,
        many=True,
    ),
    Option(
        "itbench_vllm_arg",
        "arguments for the server of vllm: models, as in --dtype=float32; may be repeated",
        "ARGUMENTS",
        read_arguments,
        many=True,
    ),
    Option(
        "itbench_vllm_python",
        "the Python that has vLLM, for vllm: models; the one that runs pytest unless given",
        "PATH",
    ),
    Option("itbench_environment", "the provider of hosts", "NAME", default="docker"),
    Option(
        "itbench_kubeconfig",
        "the kubeconfig of the cluster for scenarios that need one; nothing is done on a cluster that is not named",
        "FILE",
    ),
    Option("itbench_context", "the kubeconfig's context; the current one unless given", "NAME"),
    Option(
        "itbench_cluster",
        "who makes a cluster where no kubeconfig is given: kind or kind:NAME (kept for the next run), or k3s (for this"
        " run); kind unless given, where it is on the PATH",
        "KIND",
        read_cluster,
    ),
    Option(
        "itbench_registry",
        "a registry through which the cluster's nodes get the images that are built here, as in registry.example/team",
        "PREFIX",
    ),
    Option(
        "itbench_docker_host",
        "a container engine for environments, as in unix:///run/docker.sock, ssh://user@host or tcp://host:2376;"
        " may be repeated to spread them. The usual one (DOCKER_HOST …) unless given",
        "URL",
        many=True,
    ),
    Option(
        "itbench_capacity",
        "how much environments may use of each engine's machine together, as in memory=8g, cpus=4, pids=4000 or"
        " disk=50g; what is not stated is what is free when the run begins. May be repeated",
        "AMOUNT=VALUE",
        read_amount,
        many=True,
    ),
    Option(
        "itbench_network_pool",
        "addresses from which environments get networks of their own; may be repeated",
        "NETWORK",
        default="198.18.0.0/15 10.224.0.0/12",
        many=True,
    ),
    Option(
        "itbench_keep",
        "leave the machines of attempts with this verdict and tell how to enter them: missed, invalid or solved;"
        " may be repeated. pytest-itbench reap --kept removes them",
        "VERDICT",
        read_verdict,
        many=True,
    ),
    Option(
        "itbench_record",
        "none: recordings alone answer, nobody is asked; new: what is recorded answers, the rest is asked and recorded;"
        " once: like new where there are no recordings yet, else like none; all: everything is asked and recorded anew",
        "none|once|new|all",
        read_record_mode,
        "new",
    ),
    Option(
        "itbench_recordings",
        "the directory of recorded replies; recordings in that of reports unless given",
        "DIR",
    ),
    Option("itbench_generate_only", "ask for candidates and write candidates.jsonl, without environments", switch=True),
    Option(
        "itbench_candidates",
        "judge the candidates of a file, as --itbench-generate-only writes it, instead of asking models",
        "FILE",
    ),
    Option("itbench_reports", "the directory under which each run gets its own", "DIR", default="reports"),
    Option(
        "itbench_report",
        "a report to write: html, json, junit, markdown, openmetrics or another that is installed; may be repeated",
        "NAME",
        default="json junit html markdown",
        many=True,
    ),
    Option("itbench_run", "the run's name; date and time unless given", "NAME", read_name),
    Option(
        "itbench_resume",
        "a run to go on with: what has a valid outcome is not run again; options that are not given are the run's",
        "RUN",
    ),
    Option(
        "itbench_shard",
        "one part of the scenarios, as in 2/5 for the second of five; pytest-itbench merge puts the runs together",
        "I/N",
        read_shard,
    ),
    Option(
        "itbench_gate",
        "a condition that the run must meet, as in 'pass@1 >= 0.6'; may be repeated. It decides the exit status",
        "CONDITION",
        many=True,
    ),
    Option(
        "itbench_early_stop",
        "leave out a model's remaining attempts as soon as they cannot change what any gate says about it",
        switch=True,
    ),
    Option(
        "itbench_baseline",
        "a run, or its summary.json, than which this one must not be worse; it decides the exit status",
        "RUN_OR_FILE",
    ),
    Option(
        "itbench_margin",
        "how much lower than the baseline's a rate may be and still be not worse, 0 to 1",
        "M",
        read_margin,
        "0.05",
    ),
    Option(
        "itbench_prove",
        "prove the scenarios instead of trying models: noop misses, the solution passes, each counterexample is caught"
        " (this is what `pytest-itbench check` does)",
        switch=True,
    ),
    Option(
        "itbench_overlay",
        "a directory of scenarios that take the place of those with the same ids, such as variants of your own",
        "DIR",
    ),
    Option(
        "itbench_repeat",
        "how often each proof is made; unless given, the solution's twice, others once",
        "N",
        read_count,
    ),
    Option(
        "itbench_proofs",
        "keep proofs in FILE, and leave out scenarios that did not change since they were proven there",
        "FILE",
    ),
)
STORED = pytest.StashKey[Mapping[str, Sequence[str]]]()
"""What a run that is resumed was given, by option."""
OF_THE_RUN = (
    "itbench_model",
    "itbench_attempts",
    "itbench_level",
    "itbench_k",
    "itbench_base_url",
    "itbench_temperature",
    "itbench_top_p",
    "itbench_seed",
    "itbench_stop",
    "itbench_param",
    "itbench_system",
    "itbench_max_tokens",
    "itbench_price",
    "itbench_environment",
    "itbench_candidates",
    "itbench_shard",
    "itbench_overlay",
)
"""The options that a resumed run has from itself, unless they are given anew."""
BY_NAME = {option.name: option for option in OPTIONS}


def register_options(parser: pytest.Parser) -> None:
    """Add every option as a flag and as an ini key."""
    group = parser.getgroup("itbench", GROUP)
    for option in OPTIONS:
        known: dict[str, Any] = {"dest": option.name, "default": None, "help": _describe(option)}
        if option.switch:
            known["action"] = "store_true"
        else:
            known |= {"action": "append" if option.many else "store", "metavar": option.metavar}
        group.addoption(option.flag, **known)
        kind: Literal["linelist", "string"] = "linelist" if option.many else "string"
        parser.addini(option.name, option.help, type=kind, default=None)


def _describe(option: Option) -> str:
    default = f" (default: {option.default})" if option.default else ""
    return f"{option.help}{default}".replace("%", "%%")


def resolve(config: pytest.Config, name: str) -> Any:
    """An option's value, read and checked; None (or an empty tuple) when nobody gave one.

    Raises:
        pytest.UsageError: the value cannot be used; names where it came from.
    """
    option = BY_NAME[name]
    texts, source = find_texts(config, option)
    values = tuple(_read(option, text, source) for text in texts)
    if option.switch:
        return bool(values) and values[0].lower() in ("1", "true", "yes", "on")
    if option.many:
        return values
    return values[0] if values else None


def _read(option: Option, text: str, source: str) -> Any:
    try:
        return option.read(text)
    except ValueError as error:
        raise pytest.UsageError(f"{source}: {text!r} cannot be used: {error}") from error


def find_texts(config: pytest.Config, option: Option) -> tuple[list[str], str]:
    """What was given for an option, and by which way."""
    flag = config.getoption(option.name, None)
    if flag:
        texts = flag if option.many else [str(flag)]
        return [str(text) for text in texts], option.flag
    if option.name in (stored := config.stash.get(STORED, {})):
        return list(stored[option.name]), f"the run to resume, {option.name}"
    variable = os.environ.get(option.variable, "").strip()
    if variable:
        return variable.splitlines() if option.many else [variable], f"environment variable {option.variable}"
    ini = config.getini(option.name)
    if ini:
        return [str(text) for text in (ini if option.many else [ini])], f"ini key {option.name}"
    return (option.default.split() if option.default else []), "default"


def find_default(name: str) -> tuple[str, ...]:
    """What an option is when nobody gives it, as texts."""
    return tuple((BY_NAME[name].default or "").split())


def is_active(config: pytest.Config) -> bool:
    """Whether this pytest run is to try models, to judge candidates or to prove scenarios."""
    names = ("itbench_model", "itbench_candidates", "itbench_prove", "itbench_resume")
    return any(resolve(config, name) for name in names)


def list_given(config: pytest.Config) -> dict[str, tuple[str, ...]]:
    """What was given for the options that a resumed run has from itself."""
    given = {name: find_texts(config, BY_NAME[name]) for name in OF_THE_RUN}
    return {name: tuple(texts) for name, (texts, source) in given.items() if source != "default"}
