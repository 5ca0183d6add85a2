"""``metrics.prom``: the run's figures in OpenMetrics, as Prometheus and its node exporter read them.

Every metric is a gauge: a run's figures are final, and the next run has a label of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_itbench.domain.outcome import Verdict
from pytest_itbench.metrics.summary import GroupResult, PassAtK, RunSummary, Slice
from pytest_itbench.reporting.tables import clean

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

NAME = "metrics.prom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A metric: its name after ``itbench_``, what it says, its labels, and their values with a figure each.

    A sample whose figure is None is left out: not known is not 0.
    """

    name: str
    text: str
    labels: tuple[str, ...]
    samples: tuple[tuple[tuple[str, ...], float | None], ...]


def write(summary: RunSummary, directory: Path) -> Path:
    """Write ``metrics.prom`` into `directory` and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    path = directory / NAME
    path.write_bytes(render_metrics(summary))
    return path


def render_metrics(summary: RunSummary) -> bytes:
    """The whole file."""
    # Most runs want no metrics, and should not pay for the library.
    from prometheus_client import CollectorRegistry  # noqa: PLC0415
    from prometheus_client.openmetrics.exposition import generate_latest  # noqa: PLC0415

    registry = CollectorRegistry()
    registry.register(_Collector(summary))
    return bytes(generate_latest(registry))  # type: ignore[no-untyped-call]  # it has no types


class _Collector:
    """Gives finished families: a `prometheus_client.Gauge` may keep its value in a file of the process."""

    def __init__(self, summary: RunSummary) -> None:
        self._summary = summary

    def collect(self) -> Iterator[GaugeMetricFamily]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415  # see `render_metrics`

        for gauge in list_gauges(self._summary):
            labels = ("run", *gauge.labels)
            family = GaugeMetricFamily(f"itbench_{gauge.name}", gauge.text, labels=labels)
            for values, figure in gauge.samples:
                if figure is not None:
                    family.add_metric([clean(value) for value in (self._summary.info.run, *values)], figure)
            yield family


def list_gauges(summary: RunSummary) -> Iterator[Gauge]:
    """All metrics of a run.

    What can be added up is given by domain only, or a sum over all series would count it twice.
    """
    domains = tuple(group for group in summary.groups if group.by is Slice.DOMAIN)
    yield from _list_rates("", summary.model_totals)
    yield from _list_rates("domain_", domains)
    yield from _list_counts(domains)
    yield Gauge(
        name="stage_seconds",
        text="Mean seconds of a scored attempt in a stage.",
        labels=("model", "stage"),
        samples=tuple(
            ((total.model, stage), seconds)
            for total in summary.model_totals
            for stage, seconds in total.seconds.items()
        ),
    )
    info = summary.info
    yield _about_run("lost_attempts", "Planned attempts of which nothing was heard.", summary.lost)
    yield _about_run("run_seconds", "How long the run took.", info.seconds)
    yield _about_run("run_started_timestamp_seconds", "When the run began, in Unix time.", info.started.timestamp())


def _about_run(name: str, text: str, figure: float) -> Gauge:
    return Gauge(name=name, text=text, labels=(), samples=(((), figure),))


def _list_rates(prefix: str, groups: tuple[GroupResult, ...]) -> Iterator[Gauge]:
    labels = ("model", "domain", "k") if prefix else ("model", "k")
    over = " of a domain" if prefix else ""
    estimates: tuple[tuple[str, str, Callable[[GroupResult], tuple[PassAtK, ...]]], ...] = (
        ("pass_at_k", f"chance that one of k attempts solves a scenario{over}", lambda group: group.pass_at),
        ("pass_all_k", f"chance that all of k attempts solve a scenario{over}", lambda group: group.pass_all),
    )
    figures: tuple[tuple[str, str, Callable[[PassAtK], float | None]], ...] = (
        ("", "The {}.", lambda rate: rate.value),
        ("_low", "Lower end of the 95 % interval of the {}.", lambda rate: rate.low),
        ("_high", "Upper end of the 95 % interval of the {}.", lambda rate: rate.high),
        ("_scenarios", "How many scenarios say something about the {}.", lambda rate: rate.covered),
    )
    for name, estimate, rates_of in estimates:
        for ending, text, figure_of in figures:
            samples = tuple(
                ((group.model, *([group.value] if prefix else []), str(rate.k)), figure_of(rate))
                for group in groups
                for rate in rates_of(group)
            )
            yield Gauge(name=f"{prefix}{name}{ending}", text=text.format(estimate), labels=labels, samples=samples)


def _list_counts(domains: tuple[GroupResult, ...]) -> Iterator[Gauge]:
    keyed = tuple(((group.model, group.value), group) for group in domains)
    yield Gauge(
        name="attempts",
        text="Attempts by verdict.",
        labels=("model", "domain", "verdict"),
        samples=tuple(
            ((*key, verdict.value), count)
            for key, group in keyed
            for verdict, count in (
                (Verdict.SOLVED, group.tally.solved),
                (Verdict.MISSED, group.tally.missed),
                (Verdict.INVALID, group.tally.invalid),
            )
        ),
    )
    yield Gauge(
        name="tokens",
        text="Tokens that went to the model and came from it.",
        labels=("model", "domain", "direction"),
        samples=tuple(
            ((*key, direction), count)
            for key, group in keyed
            for direction, count in (("input", group.usage.input_tokens), ("output", group.usage.output_tokens))
        ),
    )
    yield Gauge(
        name="cost_dollars",
        text="What the provider charged, in US dollars.",
        labels=("model", "domain"),
        samples=tuple((key, group.usage.cost) for key, group in keyed),
    )
