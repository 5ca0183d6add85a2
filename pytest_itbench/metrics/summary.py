"""What a run came to, as frozen values; `pytest_itbench.metrics.aggregate` computes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_itbench.domain.outcome import FailureKind, Outcome, Usage, Verdict

if TYPE_CHECKING:
    from pytest_itbench.metrics.decision import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """How one model of a run was asked.

    Attributes:
        label: its name in the run.
        kind, name: as in ``KIND:NAME``.
        level: how much detail its prompt gave, 1 to 3.
        temperature: None where the provider chose.
        sampling: all that was asked for besides, as text, by parameter.
    """

    label: str
    kind: str
    name: str
    level: int
    temperature: float | None = None
    sampling: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioInfo:
    """Which scenario was tried, to the byte.

    Attributes:
        task: a hash of all that decides what the model is asked and what its candidate meets.
        validators: a hash of all that decides how the candidate is judged.
    """

    id: str
    task: str
    validators: str


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
        shard: which part of all attempts this is, and of how many; None for the whole.
        choices: how each model was asked, in the order of `models`.
        scenarios: what was tried, in alphabetical order.
        given: the options that made the run what it is, as text.
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
    shard: tuple[int, int] | None = None
    choices: tuple[ModelInfo, ...] = ()
    scenarios: tuple[ScenarioInfo, ...] = ()
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the run took, in seconds."""
        return (self.ended - self.started).total_seconds()


class Slice(StrEnum):
    """What the scenarios of a group have in common."""

    DOMAIN = "domain"
    DIFFICULTY = "difficulty"
    TAG = "tag"
    ALL = "all"


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
    """A pass@k or pass^k with what it rests on.

    Attributes:
        value: 0 to 1; None when no scenario has `k` scored attempts.
        covered: scenarios with at least `k` scored attempts, over which `value` is the mean.
        of: all scenarios that were tried.
        low, high: the ends of its 95 % interval; None where `value` is.
    """

    k: int
    value: float | None
    covered: int
    of: int
    low: float | None = None
    high: float | None = None

    @property
    def partial(self) -> bool:
        """Whether there is a value that leaves scenarios out."""
        return self.value is not None and self.covered < self.of


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One scenario as tried by one model.

    Attributes:
        pass_all: pass^k, the chance that all of k attempts solve it.
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
    pass_all: tuple[PassAtK, ...]
    mean_score: float | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResult:
    """One model's results over scenarios that have something in common.

    Attributes:
        by: what they have in common.
        value: the domain, difficulty or tag; empty for all scenarios together.
        scenarios: how many scenarios the group holds.
        pass_at: for each k the mean over the scenarios with at least k scored attempts.
        pass_all: the same of pass^k.
        mean_score: the mean of the scenarios' mean partial scores, 0 to 1.
        check_rate: the share of all checks that passed, 0 to 1.
        idempotent_rate: of the attempts at which a second run was made, the share in which it changed nothing.
        usage: the sum of what providers reported; None where none did.
        cost_per_solved: US dollars spent for each scenario that was solved at least once.
        tokens_per_solved: tokens in and out for each such scenario.
        seconds: mean seconds of a scored attempt by stage.
        repeat_variance: the mean over scenarios of the variance between attempts at the same scenario.
        scenario_variance: the variance between the scenarios' rates.
    """

    model: str
    by: Slice
    value: str
    scenarios: int
    tally: Tally
    pass_at: tuple[PassAtK, ...]
    pass_all: tuple[PassAtK, ...]
    mean_score: float | None
    check_rate: float | None
    idempotent_rate: float | None
    usage: Usage
    cost_per_solved: float | None
    tokens_per_solved: float | None
    seconds: dict[str, float]
    repeat_variance: float | None
    scenario_variance: float | None


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
        groups: by model; its domains, difficulties and tags, each in alphabetical order, then all scenarios together.
        totals: over all models.
        failure_kinds: by model, the most frequent first.
        decision: what gates and baseline say; None when there are none.
    """

    info: RunInfo
    outcomes: tuple[Outcome, ...]
    scenarios: tuple[ScenarioResult, ...]
    groups: tuple[GroupResult, ...]
    totals: Tally
    failure_kinds: tuple[KindCount, ...]
    decision: Decision | None = None

    @property
    def lost(self) -> int:
        """Planned attempts of which nothing was heard."""
        return max(self.info.planned - self.totals.total, 0)

    @property
    def model_totals(self) -> tuple[GroupResult, ...]:
        """Each model's group of all domains."""
        return tuple(group for group in self.groups if group.by is Slice.ALL)

    def groups_of(self, model: str, by: Slice = Slice.DOMAIN) -> tuple[GroupResult, ...]:
        """One model's groups of a kind, and its total last."""
        return tuple(group for group in self.groups if group.model == model and group.by in (by, Slice.ALL))
