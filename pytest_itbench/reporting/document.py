"""A run's summary as builtins: the content of ``summary.json`` and of the HTML page.

Its format is published as ``schemas/summary.schema.json``; change both together.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pytest_itbench.domain.outcome import Outcome, Usage
from pytest_itbench.metrics.comparison import Comparison
from pytest_itbench.metrics.decision import Decision
from pytest_itbench.metrics.summary import GroupResult, PassAtK, RunInfo, RunSummary, ScenarioResult, Tally
from pytest_itbench.reporting.decision_text import describe_decision

SCHEMA = 2


def build_document(summary: RunSummary) -> dict[str, Any]:
    """Turn a summary into builtins that `json` can write; times are in seconds."""
    return {
        "schema": SCHEMA,
        "run": _run(summary.info),
        "totals": {**_tally(summary.totals), "lost": summary.lost},
        "groups": [_group(group) for group in summary.groups],
        "scenarios": [describe_scenario(result) for result in summary.scenarios],
        "failure_kinds": [
            {
                "model": entry.model,
                "verdict": entry.verdict.value,
                "kind": entry.kind.value,
                "count": entry.count,
            }
            for entry in summary.failure_kinds
        ],
        "decision": _decision(summary.decision) if summary.decision else None,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "status": decision.status,
        "problems": list(decision.problems),
        "left_out": decision.left_out,
        "gates": [{**asdict(result), "verdict": result.verdict.value} for result in decision.gates],
        "comparisons": [_comparison(comparison) for comparison in decision.comparisons],
        "text": [{"tone": tone, "text": text} for tone, text in describe_decision(decision)],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "old_run": comparison.old_run,
        "old_model": comparison.old_model,
        "new_model": comparison.new_model,
        "margin": comparison.margin,
        "finding": comparison.finding.value,
        "differences": [{**asdict(each), "finding": each.finding.value} for each in comparison.differences],
        "flips": [asdict(flip) for flip in comparison.flips],
        "left_out": list(comparison.left_out),
    }


def _run(info: RunInfo) -> dict[str, Any]:
    return {
        **asdict(info),
        "started": info.started.isoformat(),
        "ended": info.ended.isoformat(),
        "seconds": round(info.seconds, 3),
        "models": list(info.models),
        "ks": list(info.ks),
        "shard": list(info.shard) if info.shard else None,
        "choices": [asdict(choice) for choice in info.choices],
        "scenarios": [asdict(scenario) for scenario in info.scenarios],
        "given": {name: list(texts) for name, texts in info.given.items()},
    }


def _tally(tally: Tally) -> dict[str, int]:
    return {"solved": tally.solved, "missed": tally.missed, "invalid": tally.invalid}


def _rates(rates: tuple[PassAtK, ...]) -> list[dict[str, Any]]:
    return [{"k": r.k, "value": r.value, "covered": r.covered, "of": r.of, "low": r.low, "high": r.high} for r in rates]


def _usage(usage: Usage) -> dict[str, Any]:
    # Not `asdict`, which is slow for what each attempt has.
    return {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost": usage.cost,
    }


def _group(group: GroupResult) -> dict[str, Any]:
    return {
        "model": group.model,
        "by": group.by.value,
        "value": group.value,
        "scenarios": group.scenarios,
        "tally": _tally(group.tally),
        "pass_at": _rates(group.pass_at),
        "pass_all": _rates(group.pass_all),
        "mean_score": group.mean_score,
        "check_rate": group.check_rate,
        "idempotent_rate": group.idempotent_rate,
        "usage": _usage(group.usage),
        "cost_per_solved": group.cost_per_solved,
        "tokens_per_solved": group.tokens_per_solved,
        "seconds": {stage: round(seconds, 3) for stage, seconds in group.seconds.items()},
        "repeat_variance": group.repeat_variance,
        "scenario_variance": group.scenario_variance,
    }


def describe_scenario(result: ScenarioResult) -> dict[str, Any]:
    """An entry of ``scenarios``."""
    return {
        "scenario": result.scenario,
        "model": result.model,
        "domain": result.domain,
        "difficulty": result.difficulty,
        "tags": list(result.tags),
        "tally": _tally(result.tally),
        "pass_at": _rates(result.pass_at),
        "pass_all": _rates(result.pass_all),
        "mean_score": result.mean_score,
        "attempts": [_attempt(outcome) for outcome in result.outcomes],
    }


def _attempt(outcome: Outcome) -> dict[str, Any]:
    return {
        "index": outcome.key.index,
        "verdict": outcome.verdict.value,
        "stage": outcome.stage.value,
        "kind": outcome.kind.value if outcome.kind else None,
        "message": outcome.message,
        "hint": outcome.hint,
        "score": outcome.score,
        "level": outcome.level,
        "taken": outcome.taken,
        "started": outcome.started.isoformat(),
        "worker": outcome.worker,
        "timings": {stage: round(seconds, 3) for stage, seconds in outcome.timings.items()},
        "usage": _usage(outcome.usage),
        "evidence": dict(outcome.evidence),
        "tries": [{"stage": each.stage.value, "cause": each.cause, "message": each.message} for each in outcome.tries],
    }
