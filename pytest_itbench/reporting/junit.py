"""``junit.xml``: one suite per model and one case per scenario, for CI dashboards.

A scenario passes when at least one scored attempt solved it, fails when none did (pass@n = 0), and is an
error when no attempt could be scored. A dashboard thus shows which scenarios a model can solve at all; how
reliably it does so is in the properties, and a gate decides on that.

The class name is the domain, so that a run of a new model is compared with the old one's case by case. With
several models it is ``<model>.<domain>``: GitLab ignores the suite's name and drops cases of the same name.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Properties, Property, TestCase, TestSuite

from pytest_itbench.domain.outcome import Outcome, Verdict
from pytest_itbench.metrics.aggregate import sum_usage
from pytest_itbench.metrics.summary import PassAtK, RunSummary, ScenarioResult
from pytest_itbench.reporting.wording import format_rate, printable, shorten

NAME = "junit.xml"
LONGEST = 4000


def write(summary: RunSummary, directory: Path) -> Path:
    """Write ``junit.xml`` into `directory` and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    document = JUnitXml(name=printable(summary.info.run))
    several = len(summary.model_totals) > 1
    for model, results in groupby(summary.scenarios, key=lambda result: result.model):
        document.append(_suite(summary, model, tuple(results), several=several))
    _add_up(document)
    path = directory / NAME
    document.write(str(path))
    return path


def _add_up(document: JUnitXml) -> None:
    """The totals; junitparser's own has an attribute that the schema of xunit does not know."""
    suites = list(document)
    for suite in suites:
        suite.update_statistics()
    document.tests = sum(suite.tests for suite in suites)
    document.failures = sum(suite.failures for suite in suites)
    document.errors = sum(suite.errors for suite in suites)
    document.time = round(sum(suite.time for suite in suites), 3)


def _suite(summary: RunSummary, model: str, results: tuple[ScenarioResult, ...], *, several: bool) -> TestSuite:
    suite = TestSuite(printable(model))
    suite.timestamp = summary.info.started.isoformat(timespec="seconds")
    suite.append(_properties({"run": summary.info.run, "environment": summary.info.environment}))
    suite.extend([_case(result, several=several) for result in results])
    return suite


def _case(result: ScenarioResult, *, several: bool) -> TestCase:
    class_name = f"{result.model}.{result.domain}" if several else result.domain
    seconds = sum(sum(outcome.timings.values()) for outcome in result.outcomes)
    case = TestCase(printable(result.scenario), printable(class_name), round(seconds, 3))
    case.append(_properties(_facts(result)))
    if not result.tally.scored:
        case.append(_problem(Error, result, Verdict.INVALID))
    elif not result.tally.solved:
        case.append(_problem(Failure, result, Verdict.MISSED))
    return case


def _facts(result: ScenarioResult) -> dict[str, str]:
    usage = sum_usage([outcome.usage for outcome in result.outcomes])
    tokens = {"tokens in": usage.input_tokens, "tokens out": usage.output_tokens, "cost in US dollars": usage.cost}
    return {
        "difficulty": result.difficulty,
        "tags": ", ".join(result.tags),
        "n": str(result.tally.scored),
        "solved": str(result.tally.solved),
        "missed": str(result.tally.missed),
        "invalid": str(result.tally.invalid),
        **{f"pass@{rate.k}": format_rate(rate) for rate in result.pass_at},
        **{f"pass@{rate.k} interval": _interval(rate) for rate in result.pass_at if rate.low is not None},
        **{f"pass^{rate.k}": format_rate(rate) for rate in result.pass_all},
        **{name: f"{value:.6g}" for name, value in tokens.items() if value is not None},
    }


def _interval(rate: PassAtK) -> str:
    return f"{rate.low:.2f} to {rate.high:.2f}"


def _properties(facts: dict[str, str]) -> Properties:
    properties = Properties()
    for name, value in facts.items():
        properties.add_property(Property(name, printable(value)))
    return properties


def _problem(tag: type[Failure | Error], result: ScenarioResult, verdict: Verdict) -> Failure | Error:
    outcomes = [outcome for outcome in result.outcomes if outcome.verdict is verdict]
    kinds = Counter(str(outcome.kind or "unknown") for outcome in outcomes)
    summary = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    problem = tag(f"{verdict}: {summary}", next(iter(kinds)))
    problem.text = "\n\n".join(_account(outcome) for outcome in outcomes)
    return problem


def _account(outcome: Outcome) -> str:
    hint = f"\nhint: {outcome.hint}" if outcome.hint else ""
    text = f"attempt {outcome.key.index}: {outcome.kind or 'unknown'}\n{outcome.message}{hint}"
    return shorten(printable(text), LONGEST)
