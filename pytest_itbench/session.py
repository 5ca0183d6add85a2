"""What a pytest process becomes when there are models to try: settings resolved, the right parts registered."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.domain.budget import Budget
from pytest_itbench.domain.candidate import ModelChoice, Sampling
from pytest_itbench.domain.outcome import AttemptKey
from pytest_itbench.domain.scenario import Difficulty, Domain
from pytest_itbench.environments.kubernetes.absence import find_flaw
from pytest_itbench.errors import UserMistake
from pytest_itbench.loading.scenario import find_scenario_files
from pytest_itbench.models.choice import parse_models, set_prices, sweep
from pytest_itbench.models.recording import RecordMode, make_recorded, settle_mode
from pytest_itbench.models.replay import choose_candidates
from pytest_itbench.options import STORED, resolve
from pytest_itbench.owner import describe_owner
from pytest_itbench.registry import find_implementation
from pytest_itbench.runs import RUN, find_baseline, find_run, read_info
from pytest_itbench.settings import Settings
from pytest_itbench.validation.python_file import PACKAGE

SETTINGS = pytest.StashKey[Settings]()
USUAL_KS = (1, 3, 5, 10)
WORKER_INPUT = "itbench"
"""The key under which xdist hands the run's name and owner to its workers."""


def activate(config: pytest.Config) -> None:
    """Register the fixtures and the runner; on the controller also the ledger and the reports.

    Raises:
        pytest.UsageError: an option cannot be used.
    """
    from pytest_itbench import fixtures
    from pytest_itbench.collection import DONE, MINE, register_markers
    from pytest_itbench.runner import ADMISSIONS, Runner

    _refuse_repetition(config)
    register_markers(config, [*Domain, *Difficulty])
    pytest.register_assert_rewrite(PACKAGE)
    with usage_errors():
        settings = config.stash[SETTINGS] = resolve_settings(config)
    if not is_worker(config):  # workers are started only when these are well
        _refuse_unusable(settings)
    done = find_handed(config).get("done", ())
    config.stash[DONE] = frozenset(AttemptKey(scenario=s, model=m, index=i) for s, m, i in done)
    config.stash[MINE] = frozenset(find_handed(config).get("mine", ())) or None
    config.pluginmanager.register(fixtures, "itbench-fixtures")
    config.pluginmanager.register(Runner(config, settings), "itbench-runner")
    if settings.proofs:
        from pytest_itbench.proving import Proving

        with usage_errors():
            config.pluginmanager.register(Proving(config, settings.proofs, settings.repeat), "itbench-proving")
    if not is_worker(config):
        from pytest_itbench.asking import ASKING, Asking
        from pytest_itbench.controller import Controller
        from pytest_itbench.environments.routing import Admissions

        config.stash[ADMISSIONS] = Admissions(Runner.of(config).providers)
        config.stash[ASKING] = Asking(settings, config.rootpath)
        config.pluginmanager.register(Controller(config, settings), "itbench-controller")


def _refuse_unusable(settings: Settings) -> None:
    """Make each model and find each reporter once, so that what cannot be had is told before anything starts."""
    with usage_errors():
        for choice in settings.models:
            make_recorded(choice, settings.recordings, RecordMode(settings.record), wrap=lambda model: model)
        for name in settings.reporters:
            find_implementation("reporters", name)


def resolve_settings(config: pytest.Config) -> Settings:
    """All options of a run, checked.

    Raises:
        pytest.UsageError, OptionMistake: a value cannot be used.
    """
    handed = find_handed(config)
    reports = Path(config.invocation_params.dir, resolve(config, "itbench_reports"))
    resume = _resolve_resume(config, reports)
    prove = resolve(config, "itbench_prove")
    models = () if prove else _resolve_models(config)
    attempts = resolve(config, "itbench_attempts") or _count_attempts(models)
    usual = (resume.parent if resume else reports) / "recordings"
    recordings = Path(config.invocation_params.dir, resolve(config, "itbench_recordings") or usual)
    return Settings(
        models=models,
        attempts=attempts,
        ks=resolve(config, "itbench_k") or tuple(k for k in USUAL_KS if k <= attempts),
        reports=resume.parent if resume else reports,
        reporters=tuple(text.strip() for text in resolve(config, "itbench_report")),
        recordings=recordings,
        record=handed.get("record") or settle_mode(RecordMode(resolve(config, "itbench_record")), recordings).value,
        concurrency=resolve(config, "itbench_concurrency"),
        retries=resolve(config, "itbench_retries"),
        budget=Budget(**dict(resolve(config, "itbench_budget"))),
        generate=resolve(config, "itbench_generate_only"),
        run=handed.get("run") or _resolve_name(config, resume) or _make_run_name("check-" if prove else ""),
        owner=handed.get("owner") or describe_owner(),
        environment=resolve(config, "itbench_environment"),
        docker_hosts=resolve(config, "itbench_docker_host"),
        network_pools=resolve(config, "itbench_network_pool"),
        capacity=resolve(config, "itbench_capacity"),
        kubeconfig=_find_kubeconfig(config),
        context=resolve(config, "itbench_context") or "",
        cluster=resolve(config, "itbench_cluster") or "",
        registry=resolve(config, "itbench_registry") or "",
        keep=resolve(config, "itbench_keep"),
        resume=resume,
        shard=resolve(config, "itbench_shard"),
        gates=resolve(config, "itbench_gate"),
        early_stop=resolve(config, "itbench_early_stop"),
        baseline=_resolve_baseline(config, reports),
        margin=resolve(config, "itbench_margin"),
        prove=prove,
        overlay=_resolve_overlay(config),
        repeat=resolve(config, "itbench_repeat"),
        proofs=_resolve_proofs(config),
    )


def _resolve_overlay(config: pytest.Config) -> Path | None:
    text = resolve(config, "itbench_overlay")
    if not text:
        return None
    path = Path(config.invocation_params.dir, Path(text).expanduser())
    if not any(find_scenario_files(path)):
        raise pytest.UsageError(f"--itbench-overlay: no scenario.yaml below {path}")
    return path


def _resolve_proofs(config: pytest.Config) -> Path | None:
    text = resolve(config, "itbench_proofs")
    if text and not resolve(config, "itbench_prove"):
        raise pytest.UsageError("--itbench-proofs keeps proofs, and none are made: pytest-itbench check")
    return Path(config.invocation_params.dir, text) if text else None


def _resolve_resume(config: pytest.Config, reports: Path) -> Path | None:
    """The directory of the run to go on with; from here on its options are those that were not given."""
    text = resolve(config, "itbench_resume")
    if not text:
        return None
    if resolve(config, "itbench_generate_only") or resolve(config, "itbench_prove"):
        raise pytest.UsageError("--itbench-resume goes on with a run of attempts; recordings resume the others")
    directory = find_run(text, reports)
    config.stash[STORED] = read_info(directory / RUN).given
    return directory


def _resolve_name(config: pytest.Config, resume: Path | None) -> str | None:
    name: str | None = resolve(config, "itbench_run")
    if resume and name:
        raise pytest.UsageError("--itbench-resume and --itbench-run exclude each other: a resumed run has its name")
    return resume.name if resume else name


def _find_kubeconfig(config: pytest.Config) -> str:
    """The file, as seen from where pytest was started; workers may be elsewhere."""
    text = resolve(config, "itbench_kubeconfig")
    if not text:
        return ""
    path = Path(config.invocation_params.dir, Path(text).expanduser())
    if problem := find_flaw(path, resolve(config, "itbench_context") or ""):
        raise pytest.UsageError(f"--itbench-kubeconfig: {problem}")
    return str(path)


def _resolve_baseline(config: pytest.Config, reports: Path) -> Path | None:
    text = resolve(config, "itbench_baseline")
    return find_baseline(text, reports) if text else None


def _resolve_models(config: pytest.Config) -> tuple[ModelChoice, ...]:
    """The models at each of the temperatures and levels that were asked for, or those of a file of candidates."""
    candidates = resolve(config, "itbench_candidates")
    if candidates:
        if resolve(config, "itbench_model"):
            raise pytest.UsageError(
                "--itbench-candidates and --itbench-model exclude each other: judge, or ask and judge"
            )
        return choose_candidates(candidates)
    given = {
        "base_url": resolve(config, "itbench_base_url"),
        "vllm_python": resolve(config, "itbench_vllm_python"),
        "vllm_arguments": tuple(chain.from_iterable(resolve(config, "itbench_vllm_arg"))),
    }
    common: dict[str, Any] = {
        "timeout": resolve(config, "itbench_model_timeout"),
        "system": resolve(config, "itbench_system") or "",
        "options": {name: value for name, value in given.items() if value},
    }
    sampling = Sampling(
        top_p=resolve(config, "itbench_top_p"),
        max_tokens=resolve(config, "itbench_max_tokens"),
        seed=resolve(config, "itbench_seed"),
        stop=resolve(config, "itbench_stop"),
        parameters=resolve(config, "itbench_param"),
    )
    named = set_prices(parse_models(resolve(config, "itbench_model")), dict(resolve(config, "itbench_price")))
    choices = [replace(c, sampling=sampling, **{**common, "options": common["options"] | c.options}) for c in named]
    return sweep(choices, resolve(config, "itbench_temperature"), resolve(config, "itbench_level"))


def _count_attempts(models: Sequence[ModelChoice]) -> int:
    """As many attempts as there are candidates; one where a model has still to be asked."""
    return max((model.options.get("attempts", 1) for model in models), default=1)


def _make_run_name(prefix: str) -> str:
    return f"{prefix}{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _refuse_repetition(config: pytest.Config) -> None:
    if config.getoption("reruns", None):
        raise pytest.UsageError("--reruns would turn misses into passes and inflate pass@k; use --itbench-attempts")
    if config.getoption("dist", "no") == "each":
        raise pytest.UsageError("--dist=each would run each attempt on every worker; use --dist=load or another")


def find_handed(config: pytest.Config) -> dict[str, Any]:
    """What the controller told this worker before it started; nothing elsewhere."""
    handed: dict[str, Any] = getattr(config, "workerinput", {}).get(WORKER_INPUT, {})
    return handed


def is_worker(config: pytest.Config) -> bool:
    """Whether this process was started by xdist to run items."""
    return hasattr(config, "workerinput")


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn a user's mistake into pytest's own: one line, exit status 4."""
    try:
        yield
    except UserMistake as mistake:
        raise pytest.UsageError(str(mistake)) from mistake
