"""What the user asked for, resolved once and then never changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_itbench.domain.budget import Budget
from pytest_itbench.domain.candidate import ModelChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The resolved options of a run.

    Attributes:
        models: the models to try, in the order given; empty when scenarios are proven.
        attempts: independent tries per scenario and model.
        ks: the k of pass@k that reports show.
        reports: the directory under which the run's own directory lies.
        reporters: the reports to write, by name.
        run: the run's name, which is also its directory's name.
        recordings: where replies are kept by the hash of their request.
        record: when a model is asked and when a recording answers, settled for this run.
        concurrency: requests at once, of all processes together.
        retries: how often a request is tried again when the trouble may pass.
        budget: what the run may spend.
        generate: ask for candidates only, without environments.
        owner: the process that started the run, for clean-up after it was killed.
        environment: which provider starts environments.
        docker_hosts: the engines on which they are spread; the usual one unless named.
        network_pools: the addresses of attempts' networks.
        capacity: how much environments may use of each place, by amount, where that is stated.
        kubeconfig, context: the cluster for scenarios that need one; empty unless named.
        cluster: who makes a cluster where none is named.
        registry: by which a cluster gets images that are built here.
        keep: the verdicts after which an attempt's environment is left for a person to look at.
        resume: the directory of the run to go on with.
        shard: which part of the scenarios to run, from 1, and of how many.
        gates: conditions that the run must meet.
        early_stop: leave out attempts that cannot change what the gates say.
        baseline: a run, or a run's summary.json, to compare with.
        margin: how much worse than the baseline is still not worse.
        prove: prove the scenarios instead of trying models.
        overlay: where scenarios are that take the place of those with the same ids.
        repeat: how often each proof is made; None for the usual: the solution's twice, others once.
        proofs: the file in which proofs are kept.
    """

    models: tuple[ModelChoice, ...]
    attempts: int
    ks: tuple[int, ...]
    reports: Path
    reporters: tuple[str, ...]
    recordings: Path
    record: str
    concurrency: int
    retries: int
    budget: Budget
    generate: bool
    run: str
    owner: str
    environment: str
    docker_hosts: tuple[str, ...]
    network_pools: tuple[str, ...]
    capacity: tuple[tuple[str, float], ...]
    kubeconfig: str
    context: str
    cluster: str
    registry: str
    keep: tuple[str, ...]
    resume: Path | None
    shard: tuple[int, int] | None
    gates: tuple[str, ...]
    early_stop: bool
    baseline: Path | None
    margin: float
    prove: bool
    overlay: Path | None
    repeat: int | None
    proofs: Path | None

    @property
    def run_directory(self) -> Path:
        """Where everything that the run leaves behind lies."""
        return self.reports / self.run
