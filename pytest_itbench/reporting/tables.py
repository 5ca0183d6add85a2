"""Tables of pass@k with their intervals, as text cells; `pytest_itbench.reporting.export` renders them.

They are those of ITAB (arXiv 2505.20505): models, domains and temperatures by k, and failure kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pytest_itbench.domain.outcome import Verdict
from pytest_itbench.metrics.summary import GroupResult, KindCount, ModelInfo, PassAtK, RunSummary, Slice
from pytest_itbench.reporting.wording import NOT_KNOWN, PARTIAL, printable, shorten

RATES = "pass@k in per cent, with 95 % intervals"
FOOTNOTE = f"{PARTIAL} leaves out scenarios that have fewer than k scored attempts."
LONGEST = 40
"""Characters of a setting, which may be a whole system prompt, in a model's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table without markup; every cell is one printable line, but nothing is escaped.

    Attributes:
        words: how many columns, from the left, hold text; the others hold figures.
    """

    title: str
    header: tuple[str, ...]
    words: int
    rows: tuple[tuple[str, ...], ...]

    @property
    def partial(self) -> bool:
        """Whether a figure leaves scenarios out, so that a footnote is due."""
        return any(PARTIAL in cell for row in self.rows for cell in row[self.words :])


def clean(text: str) -> str:
    """Text as one printable line."""
    return " ".join(printable(text).split())


def describe_rate(rate: PassAtK) -> str:
    """A pass@k in per cent with its interval, marked when it leaves scenarios out."""
    if rate.value is None:
        return NOT_KNOWN
    mark = PARTIAL if rate.partial else ""
    if rate.low is None or rate.high is None:
        return f"{100 * rate.value:.1f}{mark}"
    return f"{100 * rate.value:.1f}{mark} ({100 * rate.low:.1f}-{100 * rate.high:.1f})"


def tabulate_models(summary: RunSummary) -> Table:
    """A row per model."""
    return Table(
        title=f"Models: {RATES}",
        header=("Model", "Scenarios", *_names(summary)),
        words=1,
        rows=tuple((clean(total.model), *_figures(total)) for total in summary.model_totals),
    )


def tabulate_groups(summary: RunSummary, by: Slice) -> Table:
    """A row per model and domain, difficulty or tag."""
    return Table(
        title=f"By {by}: {RATES}",
        header=("Model", by.capitalize(), "Scenarios", *_names(summary)),
        words=2,
        rows=tuple(
            (clean(group.model), clean(group.value), *_figures(group)) for group in summary.groups if group.by is by
        ),
    )


def tabulate_temperatures(summary: RunSummary) -> Table:
    """A row per base model and k, a column per temperature; no rows when no model has several."""
    rates = {total.model: total.pass_at for total in summary.model_totals}
    choices = tuple(choice for choice in summary.info.choices if choice.label in rates)
    bases = {base: labels for base, labels in _group_choices(choices).items() if len(labels) > 1}
    columns = sorted({temperature for labels in bases.values() for temperature in labels}, key=_rank)
    rows = []
    for base, labels in bases.items():
        for number, k in enumerate(summary.info.ks):
            cells = [
                describe_rate(rates[labels[temperature]][number]) if temperature in labels else NOT_KNOWN
                for temperature in columns
            ]
            rows.append((base, f"pass@{k}", *cells))
    return Table(
        title=f"By temperature: {RATES}",
        header=("Model", "Figure", *("default" if value is None else f"{value:g}" for value in columns)),
        words=2,
        rows=tuple(rows),
    )


def tabulate_kinds(summary: RunSummary) -> Table:
    """A row per failure kind, a column per model: the share of its missed attempts."""
    models = [total.model for total in summary.model_totals]
    counts = {(entry.kind, entry.model): entry.count for entry in _missed(summary)}
    totals = Counter[str]()
    for (kind, _), count in counts.items():
        totals[kind] += count
    missed = {total.model: total.tally.missed for total in summary.model_totals}
    rows = [
        (str(kind), *(_share(counts.get((kind, model), 0), missed[model]) for model in models))
        for kind in sorted({kind for kind, _ in counts}, key=lambda kind: (-totals[kind], kind))
    ]
    if rows:
        rows.append(("missed attempts", *(str(missed[model]) for model in models)))
    return Table(
        title="Failure kinds, in per cent of missed attempts",
        header=("Failure kind", *map(clean, models)),
        words=1,
        rows=tuple(rows),
    )


def _missed(summary: RunSummary) -> Iterable[KindCount]:
    return (entry for entry in summary.failure_kinds if entry.verdict is Verdict.MISSED)


def _names(summary: RunSummary) -> tuple[str, ...]:
    return tuple(f"pass@{k}" for k in summary.info.ks)


def _figures(group: GroupResult) -> tuple[str, ...]:
    return (str(group.scenarios), *map(describe_rate, group.pass_at))


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.1f}" if of else NOT_KNOWN


def _rank(temperature: float | None) -> float:
    return -1.0 if temperature is None else temperature


def _group_choices(choices: tuple[ModelInfo, ...]) -> dict[str, dict[float | None, str]]:
    """Labels by base model and temperature; those that differ in more than temperature have rows of their own."""
    rows: list[tuple[ModelInfo, dict[float | None, str]]] = []
    for choice in choices:
        for first, labels in rows:
            # The same model may have two labels, and then two rows.
            if replace(choice, label="", temperature=None) == first and choice.temperature not in labels:
                labels[choice.temperature] = choice.label
                break
        else:
            rows.append((replace(choice, label="", temperature=None), {choice.temperature: choice.label}))
    grouped: dict[str, dict[float | None, str]] = {}
    for base, labels in rows:
        name = unique = _name_base(
            base, [other for other, _ in rows if (other.kind, other.name) == (base.kind, base.name)]
        )
        number = 1
        while unique in grouped:
            number += 1
            unique = f"{name} ({number})"
        grouped[unique] = labels
    return grouped


def _name_base(base: ModelInfo, kin: list[ModelInfo]) -> str:
    """A model's name, with what tells it from others of that name."""
    parts = [f"{base.kind}:{base.name}"]
    if len({other.level for other in kin}) > 1:
        parts.append(f"level {base.level}")
    names = sorted({name for other in kin for name in other.sampling})
    unlike = (name for name in names if len({other.sampling.get(name) for other in kin}) > 1)
    parts += [shorten(clean(f"{name} {base.sampling.get(name, 'not set')}"), LONGEST) for name in unlike]
    return clean(", ".join(parts))
