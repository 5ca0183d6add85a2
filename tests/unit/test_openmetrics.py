"""A run as OpenMetrics."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from pytest_itbench.domain.outcome import Outcome, Usage
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.summary import RunSummary
from pytest_itbench.reporting.openmetrics import render_metrics, write
from pytest_itbench.testing import outcomes as made

HOSTILE = 'a"} 1\n# EOF\nb{c="\\" \x1b[31m\x00 \ud800 \u2028'
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def make_attempts(
    scenario: str, letters: str, *, model: str = "m", domain: str = "networking", usage: Usage | None = None
) -> list[Outcome]:
    """One attempt per letter: s(olved), m(issed) or i(nvalid)."""
    timings = {"environment": 1.5, "validate": 0.25}
    return made.make_attempts(scenario, letters, model=model, domain=domain, usage=usage or Usage(), timings=timings)


def make_summary(outcomes: list[Outcome], *, run: str = "night", planned: int = 0) -> RunSummary:
    models = dict.fromkeys(outcome.key.model for outcome in outcomes)
    info = made.make_info(*models, run=run, planned=planned or len(outcomes))
    return summarise(outcomes, info)


def read_samples(summary: RunSummary) -> Samples:
    """Every sample by its name and labels, the run left out; no two may be the same."""
    found: Samples = {}
    for family in parse(render_metrics(summary).decode()):  # type: ignore[no-untyped-call]  # it has no types
        assert family.type == "gauge"
        assert family.documentation.endswith(".")
        for sample in family.samples:
            labels = frozenset((name, value) for name, value in sample.labels.items() if name != "run")
            assert (sample.name, labels) not in found
            found[sample.name, labels] = sample.value
    return found


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"itbench_{name}", frozenset(labels.items())


def test_rates_have_their_intervals() -> None:
    """pass@k and pass^k of a model and of its domains come with both ends and with what they rest on."""
    summary = make_summary(make_attempts("a", "sss") + make_attempts("b", "mm", domain="storage"))
    samples = read_samples(summary)
    assert samples[key("pass_at_k", model="m", k="1")] == 0.5
    low, high = (samples[key(f"pass_at_k_{end}", model="m", k="1")] for end in ("low", "high"))
    assert (low, high) == (summary.model_totals[0].pass_at[0].low, summary.model_totals[0].pass_at[0].high)
    assert samples[key("pass_all_k", model="m", k="3")] == 1
    assert samples[key("pass_all_k_scenarios", model="m", k="3")] == 1
    assert samples[key("domain_pass_at_k", model="m", domain="storage", k="1")] == 0


def test_what_is_not_known_is_left_out() -> None:
    """A pass@k with too few attempts, a cost that nobody said: no sample, for 0 would be a lie."""
    samples = read_samples(make_summary(make_attempts("a", "s")))
    assert key("pass_at_k", model="m", k="3") not in samples
    assert key("cost_dollars", model="m", domain="networking") not in samples
    assert not [name for name, _ in samples if name == "itbench_tokens"]


def test_counts_add_up() -> None:
    """Attempts, tokens and costs are given by domain, so that a sum over all series is the run's total."""
    usage = Usage(requests=1, input_tokens=100, output_tokens=20, cost=0.25)
    outcomes = make_attempts("a", "smi", usage=usage) + make_attempts("b", "s", domain="storage", usage=usage)
    samples = read_samples(make_summary(outcomes, planned=6))

    def add(name: str, **labels: str) -> float:
        wanted = frozenset(labels.items())
        return sum(value for (of, at), value in samples.items() if of == f"itbench_{name}" and wanted <= at)

    assert (add("attempts"), add("attempts", verdict="invalid"), samples[key("lost_attempts")]) == (4, 1, 2)
    assert (add("tokens", direction="input"), add("tokens", direction="output"), add("cost_dollars")) == (400, 80, 1)


def test_times_are_seconds() -> None:
    """Stages, the run's length and its beginning are told in seconds."""
    samples = read_samples(make_summary(make_attempts("a", "s")))
    assert samples[key("stage_seconds", model="m", stage="environment")] == 1.5
    assert samples[key("run_seconds")] == 90
    assert samples[key("run_started_timestamp_seconds")] == made.START.timestamp()


def test_prometheus_reads_the_file_too(tmp_path: Path) -> None:
    """The file ends as OpenMetrics asks, and the node exporter's older format can read it."""
    path = write(make_summary(make_attempts("a", "sm")), tmp_path)
    text = path.read_text("utf-8")
    assert path == tmp_path / "metrics.prom"
    assert text.endswith("# EOF\n")
    assert {sample.labels["run"] for family in parse_prometheus(text) for sample in family.samples} == {"night"}


def test_hostile_labels_stay_labels() -> None:
    """Quotes, line ends, control characters and lone surrogates add no sample and break no line."""
    harmless = read_samples(make_summary(make_attempts("a", "smi")))
    hostile = make_summary(make_attempts(HOSTILE, "smi", model=HOSTILE, domain=HOSTILE), run=HOSTILE)
    samples = read_samples(hostile)
    assert len(samples) == len(harmless)
    assert {dict(labels)["model"] for _, labels in samples if "model" in dict(labels)} == {
        'a"} 1 # EOF b{c="\\" \ufffd \ufffd'
    }


def test_an_empty_run_has_its_own_figures() -> None:
    """A run of which nothing was heard says how much was lost."""
    assert read_samples(make_summary([], planned=2))[key("lost_attempts")] == 2


def test_values_do_not_go_to_files_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program around it collects metrics of several processes, nothing is left there."""
    path, module = tmp_path / "multi", "import pytest_itbench.reporting.openmetrics as m, sys"
    path.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(path))
    render_metrics(make_summary(make_attempts("a", "s")))
    assert not list(path.iterdir())
    seen = subprocess.run(
        [sys.executable, "-c", f"{module}; print('prometheus_client' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout == "False\n"
