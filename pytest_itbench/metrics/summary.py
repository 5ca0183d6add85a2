"""What a run came to, as frozen values; `pytest_itbench.metrics.aggregate` computes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pytest_itbench.domain.outcome import FailureKind, Outcome, Usage, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """How a run was made.

    Attributes:
        run: the run's name.
        started: when the session began; aware.
        ended: when its last outcome was in; aware.
        version: of pytest-itbench.
        models: the models' labels, in the order of the command line.
        attempts: independent tries asked for per scenario and model.
        ks: the k of pass@k that reports show.
        planned: attempts that the run was to make, over all scenarios and models.
        environment: the provider that started the environments.
    """

    run: str
    started: datetime
    ended: datetime
    version: str
    python_version: str
    pytest_version: str
    models: tuple[str, ...]
    attempts: int
    ks: tuple[int, ...]
    planned: int
    environment: str

    @property
    def seconds(self) -> float:
        """How long the run took, in seconds."""
        return (self.ended - self.started).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many attempts ended with each verdict."""

    solved: int = 0
    missed: int = 0
    invalid: int = 0

    @property
    def scored(self) -> int:
        """Attempts that say something about the model; invalid ones do not."""
        return self.solved + self.missed

    @property
    def total(self) -> int:
        """All attempts, invalid ones too."""
        return self.scored + self.invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAtK:
    """A pass@k with what it rests on.

    Attributes:
        value: 0 to 1; None when no scenario has `k` scored attempts.
        covered: scenarios with at least `k` scored attempts, over which `value` is the mean.
        of: all scenarios that were tried.
    """

    k: int
    value: float | None
    covered: int
    of: int

    @property
    def partial(self) -> bool:
        """Whether there is a value that leaves scenarios out."""
        return self.value is not None and self.covered < self.of


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One scenario as tried by one model.

    Attributes:
        mean_score: mean partial score of the scored attempts, 0 to 1; None when there is none.
        outcomes: sorted by attempt index.
    """

    scenario: str
    model: str
    domain: str
    difficulty: str
    tags: tuple[str, ...]
    tally: Tally
    pass_at: tuple[PassAtK, ...]
    mean_score: float | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResult:
    """One model's results in one domain, or in all of them.

    Attributes:
        domain: None for all domains together.
        scenarios: how many scenarios the group holds.
        pass_at: for each k the mean over the scenarios with at least k scored attempts.
        mean_score: the mean of the scenarios' mean partial scores, 0 to 1.
        usage: the sum of what providers reported; None where none did.
    """

    model: str
    domain: str | None
    scenarios: int
    tally: Tally
    pass_at: tuple[PassAtK, ...]
    mean_score: float | None
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """How often one model's attempts ended for one reason."""

    model: str
    verdict: Verdict
    kind: FailureKind
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Everything that reports and the gate need to know about a run.

    Attributes:
        outcomes: sorted by model, domain, scenario and attempt index.
        scenarios: sorted by model, domain and scenario.
        groups: by model; its domains in alphabetical order, then all domains together.
        totals: over all models.
        failure_kinds: by model, the most frequent first.
    """

    info: RunInfo
    outcomes: tuple[Outcome, ...]
    scenarios: tuple[ScenarioResult, ...]
    groups: tuple[GroupResult, ...]
    totals: Tally
    failure_kinds: tuple[KindCount, ...]

    @property
    def lost(self) -> int:
        """Planned attempts of which nothing was heard."""
        return max(self.info.planned - self.totals.total, 0)

    @property
    def model_totals(self) -> tuple[GroupResult, ...]:
        """Each model's group of all domains."""
        return tuple(group for group in self.groups if group.domain is None)

    def groups_of(self, model: str) -> tuple[GroupResult, ...]:
        """One model's groups, the total last."""
        return tuple(group for group in self.groups if group.model == model)
