"""Checks by name, the table of failure kinds, and the judgement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from testinfra.host import Host

from pytest_itbench.domain.application import Application, Event, EventKind, Run
from pytest_itbench.domain.outcome import CheckResult, FailureKind, Stage, Verdict
from pytest_itbench.domain.scenario import CandidateKind
from pytest_itbench.errors import EngineTrouble, ValidatorBroken
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.testing.fake import FakeBackend, FakeEnvironment
from pytest_itbench.validation.checks import run_checks
from pytest_itbench.validation.failure import classify_failure
from pytest_itbench.validation.handed import HandedIn
from pytest_itbench.validation.judge import judge, judge_stopped_host

Make = Callable[..., Path]


def make_application(status: int | None = 0, output: str = "", *events: Event) -> Application:
    """A run of a candidate."""
    return Application(status=status, output=output, events=events, seconds=1.0)


def make_event(kind: EventKind, message: str = "", *, ignored: bool = False) -> Event:
    """The result of a task."""
    return Event(kind=kind, host="web", task="T", action="a", message=message, ignored=ignored)


def run(directory: Path) -> list[CheckResult]:
    """All checks of a scenario on a fake host."""
    scenario = load_scenario(directory / "scenario.yaml")
    environment = FakeEnvironment(scenario)
    environment.apply("right")
    return list(run_checks(scenario, {"web": Host(FakeBackend("web", environment))}))


def test_checks_run_in_order_by_name(make_scenario: Make) -> None:
    """Names lose their prefix, the order is that of the file, helpers are no checks."""
    validator = """
from os.path import join as check_imported
def helper(): raise AssertionError
def test_b(web): pass
def check_a(host, hosts): assert list(hosts) == ["web"] and hosts["web"] is host
"""
    assert [(c.name, c.passed) for c in run(make_scenario(validator=validator))] == [("b", True), ("a", True)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("assert False, 'seen: x'", "seen: x"),
        ("assert 1 == 2", "assertion failed: "),
        ("{}['gone']", "KeyError: 'gone'"),
        ("raise RuntimeError('bad')", "RuntimeError: bad"),
        ("import pytest; pytest.fail('seen: y')", "seen: y"),
    ],
)
def test_a_failed_check_says_why(make_scenario: Make, body: str, message: str) -> None:
    """The author's words, or what went wrong."""
    (result,) = run(make_scenario(validator=f"def check_it(web): {body}"))
    assert not result.passed
    assert result.message.startswith(message)


@pytest.mark.parametrize(
    ("validator", "said"),
    [
        ("def check_it(web): undefined_name", "check it is broken: NameError"),
        ("import no_such_module", "cannot be imported: ModuleNotFoundError"),
        ("def check_it(:", "cannot be imported:"),
        ("x = 1", "defines no function named check_"),
        ("async def check_it(web): pass", "check it would never run"),
        ("def check_it(web): yield", "check it would never run"),
        ("def check_it(web): return False", "check it gives False: it must assert"),
        ("import pytest\ndef check_it(web): pytest.skip('x')", "check it neither passes nor fails: Skipped"),
        ("def check_it(web): raise SystemExit(1)", "check it neither passes nor fails: SystemExit"),
        ("import pytest\npytest.skip('x', allow_module_level=True)", "cannot be imported"),
        ("def check_it(db): pass", r"validate.py:1: unknown argument 'db'; known: host, hosts, web"),
    ],
)
def test_a_broken_validator_is_no_miss(make_scenario: Make, validator: str, said: str) -> None:
    """The author's mistakes make the attempt invalid."""
    with pytest.raises(ValidatorBroken, match=said):
        run(make_scenario(validator=validator))


@pytest.mark.parametrize(
    ("body", "passed", "score"),
    [
        ("score(0.25)", True, 0.25),
        ("score(0.25); score(0.5)", True, 0.5),
        ("score(1)", True, 1.0),
        ("score(7)", True, 1.0),
        ("score(-1)", True, 0.0),
        ("score(0.5); assert False", False, 0.5),
        ("assert False", False, 0.0),
        ("{}['gone']; score(1)", False, 0.0),
        ("pass", True, None),
    ],
)
def test_a_check_may_give_a_score(make_scenario: Make, body: str, *, passed: bool, score: float | None) -> None:
    """The last one counts, within 0 and 1, passed or not; a check that failed before it has 0."""
    (result,) = run(make_scenario(validator=f"def check_it(web, score): {body}"))
    assert (result.passed, result.score) == (passed, score)


@pytest.mark.parametrize("value", ["'much'", "None", "float('nan')"])
def test_a_score_that_is_none_is_no_miss(make_scenario: Make, value: str) -> None:
    """The author's mistake makes the attempt invalid."""
    with pytest.raises(ValidatorBroken, match=r"check it gives the score .*: a number from 0 to 1 is expected"):
        run(make_scenario(validator=f"def check_it(web, score): score({value})"))


def test_a_check_without_scores_has_none(make_scenario: Make) -> None:
    """A validator of the usual kind is judged by the checks that pass."""
    assert [result.score for result in run(make_scenario(validator="def check_it(web): assert False"))] == [None]


BOTH = "````` script.sh\nls\n`````\n````` policy.rego\npackage check\n`````\n"


@pytest.mark.parametrize(
    ("kind", "text", "parts"),
    [
        ("answer", "{}\n", {"answer.json": "{}\n"}),
        ("playbook", "- hosts: all\n", {"playbook.yml": "- hosts: all\n"}),
        ("evidence", BOTH, {"script.sh": "ls\n", "policy.rego": "package check\n"}),
    ],
)
def test_checks_see_the_candidate(kind: str, text: str, parts: dict[str, str]) -> None:
    """Its files by name."""
    assert HandedIn(CandidateKind(kind), text).parts == parts


@pytest.mark.parametrize(("text", "answer"), [('{"a": [1]}', {"a": [1]}), ("7", 7), ("null", None)])
def test_an_answer_is_read(text: str, answer: object) -> None:
    """As JSON, whatever it holds."""
    assert HandedIn(CandidateKind.ANSWER, text).answer == answer


@pytest.mark.parametrize(
    ("text", "said"), [(None, "nothing was handed in yet"), ("{", "no valid JSON"), ("{'a': 1}", "no valid JSON")]
)
def test_an_answer_that_cannot_be_read_fails_its_check(text: str | None, said: str) -> None:
    """Before the candidate, so that there is something to measure, and where it is none."""
    with pytest.raises(AssertionError, match=said):
        _ = HandedIn(CandidateKind.ANSWER, text).answer


@pytest.mark.parametrize("use", ["parts", "answer"])
@pytest.mark.parametrize("kind", CandidateKind)
def test_nothing_passes_before_there_is_a_candidate(kind: CandidateKind, use: str) -> None:
    """Whatever a check asks of it, the check fails."""
    with pytest.raises(AssertionError, match="nothing was handed in yet"):
        getattr(HandedIn(kind, None), use)


def test_engine_trouble_passes_through_a_check(make_scenario: Make) -> None:
    """A check that meets a failing engine has not failed."""
    validator = """
from pytest_itbench.domain.scenario import CandidateKind
from pytest_itbench.errors import EngineTrouble
def check_it(web): raise EngineTrouble("gone")
"""
    with pytest.raises(EngineTrouble):
        run(make_scenario(validator=validator))


def test_a_validator_may_import_its_neighbour(make_scenario: Make) -> None:
    """Helpers of a scenario lie beside its validator."""
    directory = make_scenario(validator="from .shared import WORD\ndef check_it(web): assert WORD == 'right'")
    (directory / "shared.py").write_text("WORD = 'right'\n")
    assert run(directory)[0].passed


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("'foo' is undefined", FailureKind.UNDEFINED_VARIABLE),
        ("object of type 'dict' has no attribute 'x'", FailureKind.UNDEFINED_VARIABLE),
        ("object of type 'HostVarsVars' has no attribute 'x'", FailureKind.UNDEFINED_VARIABLE),
        ("object of type 'str' has no attribute 'x'", FailureKind.TEMPLATE),
        ("The lookup plugin 'file' failed: Unable to access the file '/x': File not found.", FailureKind.PATH),
        ("Unsupported parameters for (copy) module: contnt", FailureKind.UNKNOWN_PARAMETER),
        ("missing required arguments: path", FailureKind.UNKNOWN_PARAMETER),
        ("value of state must be one of: absent, file, got: here", FailureKind.UNKNOWN_PARAMETER),
        ("Syntax error in template: unexpected '}'", FailureKind.TEMPLATE),
        ("Could not load 'to_yam'", FailureKind.TEMPLATE),
        ("Could not find or access 'motd.j2' on the Ansible Controller", FailureKind.PATH),
        ("Destination directory /srv/x does not exist", FailureKind.PATH),
        ("[Errno 13] Permission denied: '/etc/motd'", FailureKind.PERMISSION),
        ("non-zero return code", FailureKind.TASK_FAILED),
    ],
)
def test_a_failed_task_has_a_kind(message: str, kind: FailureKind) -> None:
    """The message of the task that ended the run decides."""
    found, text = classify_failure(make_application(2, "", make_event(EventKind.FAILED, message)))
    assert found is kind
    assert text == f"web: T: {message}"


@pytest.mark.parametrize(
    ("status", "output", "kind"),
    [
        (4, "[ERROR]: YAML parsing failed: did not find expected key", FailureKind.SYNTAX),
        (4, "[ERROR]: couldn't resolve module/action 'no.such'. This often", FailureKind.UNKNOWN_MODULE),
        (4, "[ERROR]: 'whn' is not a valid attribute for a Task", FailureKind.UNKNOWN_PARAMETER),
        (4, "[ERROR]: conflicting action statements: copy, file", FailureKind.SYNTAX),
        (1, "[ERROR]: the role 'web' was not found in /x", FailureKind.PATH),
        (137, "", FailureKind.TASK_FAILED),
        (None, "", FailureKind.TIMEOUT),
    ],
)
def test_a_run_without_tasks_has_a_kind(status: int | None, output: str, kind: FailureKind) -> None:
    """Without any event, exit status and output decide."""
    assert classify_failure(make_application(status, output))[0] is kind


def test_unreachable_is_told_from_failed() -> None:
    """A host that does not answer is not a failed task."""
    application = make_application(4, "", make_event(EventKind.UNREACHABLE, "no route"))
    assert classify_failure(application) == (FailureKind.UNREACHABLE, "no route")


def test_an_ignored_failure_does_not_count() -> None:
    """A failure that the playbook passed over did not end it."""
    ignored = make_event(EventKind.FAILED, "permission denied", ignored=True)
    fatal = make_event(EventKind.FAILED, "'x' is undefined")
    assert classify_failure(make_application(2, "", fatal, ignored))[0] is FailureKind.UNDEFINED_VARIABLE


PASSED = CheckResult(name="a", passed=True)
FAILED = CheckResult(name="b", passed=False, message="seen: 1")
CHANGE = Event(kind=EventKind.CHANGED, host="web", task="T", action="a", changed=True)


def make_runs(first: Application, again: Application | None = None) -> dict[Run, Application]:
    """One run, or two without a change between them."""
    return {Run.FIRST: first, **({Run.AGAIN: again} if again else {})}


def test_solved_when_everything_passed() -> None:
    """Applied and all checks passed: solved, with a full score and no kind."""
    judgement = judge(make_runs(make_application()), [PASSED])
    assert (judgement.verdict, judgement.kind, judgement.score) == (Verdict.SOLVED, None, 1.0)
    assert [check.name for check in judgement.checks] == ["applied", "a"]


def test_one_failed_check_is_a_miss_with_a_partial_score() -> None:
    """The score is the fraction of checks that passed; the message names those that did not."""
    judgement = judge(make_runs(make_application()), [PASSED, FAILED])
    assert (judgement.verdict, judgement.kind, judgement.stage) == (
        Verdict.MISSED,
        FailureKind.CHECKS_FAILED,
        Stage.VALIDATE,
    )
    assert judgement.score == pytest.approx(2 / 3)
    assert judgement.message == "b: seen: 1"


@pytest.mark.parametrize(
    ("scores", "passed", "score"),
    [
        ((0.5,), True, 0.5),
        ((0.5, 1.0), True, 0.75),
        ((0.5, None), True, 0.5),
        ((0.9,), False, 0.9),
        ((0.0,), False, 0.0),
        ((None, None), True, 1.0),
        ((None,), False, 0.5),
    ],
)
def test_scores_take_the_place_of_the_fraction(scores: tuple[float | None, ...], score: float, *, passed: bool) -> None:
    """Where checks give scores, their mean is the score; the verdict stays with what passed."""
    checks = [CheckResult(name=str(at), passed=passed, score=value) for at, value in enumerate(scores)]
    judgement = judge(make_runs(make_application()), checks)
    assert judgement.score == pytest.approx(score)
    assert judgement.verdict is (Verdict.SOLVED if passed else Verdict.MISSED)


def test_a_failed_run_is_a_miss_although_checks_pass() -> None:
    """A playbook that ends in an error is not a solution."""
    judgement = judge(make_runs(make_application(2, "", make_event(EventKind.FAILED, "'x' is undefined"))), [PASSED])
    assert (judgement.kind, judgement.stage, judgement.score) == (FailureKind.UNDEFINED_VARIABLE, Stage.APPLY, 0.5)


@pytest.mark.parametrize(("idempotent", "verdict"), [(True, Verdict.MISSED), (False, Verdict.SOLVED)])
def test_a_second_change_counts_where_it_was_asked_for(*, idempotent: bool, verdict: Verdict) -> None:
    """The second run must change nothing in an idempotent scenario alone."""
    runs = make_runs(make_application(0, "", CHANGE), make_application(0, "", CHANGE))
    judgement = judge(runs, [PASSED], idempotent=idempotent)
    assert judgement.verdict is verdict
    assert judgement.kind == (FailureKind.NOT_IDEMPOTENT if idempotent else None)


def test_failed_checks_weigh_more_than_a_second_change() -> None:
    """What is wrong at the end is the cause, not that it was done twice."""
    runs = make_runs(make_application(), make_application(0, "", CHANGE))
    assert judge(runs, [FAILED], idempotent=True).kind is FailureKind.CHECKS_FAILED


def test_a_stopped_host_is_the_candidates_doing() -> None:
    """Nobody escapes a miss by stopping the machine that would show it."""
    judgement = judge_stopped_host(make_runs(make_application()), "web stopped")
    assert (judgement.verdict, judgement.kind, judgement.score) == (Verdict.MISSED, FailureKind.UNREACHABLE, 0.0)


def test_a_check_may_be_named_like_one_of_ours() -> None:
    """The harness's own idempotence is told from a check of that name."""
    mine = CheckResult(name="idempotent", passed=False, message="mine")
    assert judge(make_runs(make_application()), [mine], idempotent=True).kind is FailureKind.CHECKS_FAILED


def test_a_second_run_must_tell_all() -> None:
    """Without the end of its events, nobody knows what a second run changed."""
    silent = Application(status=0, output="", events=(), seconds=1.0, complete=False)
    assert judge(make_runs(make_application(), silent), [PASSED], idempotent=True).kind is FailureKind.NOT_IDEMPOTENT


@pytest.mark.parametrize(("idempotent", "last"), [(True, "idempotent"), (False, "applied again")])
def test_a_run_after_a_change_may_change_something(*, idempotent: bool, last: str) -> None:
    """It has to; only the run after it must not, and each has a name of its own."""
    runs = {Run.FIRST: make_application(0, "", CHANGE), Run.CHANGED: make_application(0, "", CHANGE)}
    judgement = judge({**runs, Run.AGAIN: make_application()}, [PASSED], idempotent=idempotent)
    assert judgement.verdict is Verdict.SOLVED
    assert [check.name for check in judgement.checks] == ["applied", "applied after the change", last, "a"]


def test_a_refused_change_is_a_miss() -> None:
    """A candidate after which nothing can be changed any more has not solved anything, whatever checks say."""
    judgement = judge(make_runs(make_application()), [PASSED], refused="change.sh failed on web (status 1)")
    assert (judgement.verdict, judgement.kind) == (Verdict.MISSED, FailureKind.CHECKS_FAILED)
    assert judgement.message == "changed between the runs: change.sh failed on web (status 1)"
