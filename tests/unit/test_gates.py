"""Gates: how their text is read, what they say about a summary, and the exit status that follows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytest_itbench
from pytest_itbench.domain.outcome import FailureKind, Outcome, Usage, Verdict
from pytest_itbench.errors import OptionMistake
from pytest_itbench.metrics import comparison
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.comparison import Difference, Finding
from pytest_itbench.metrics.decision import Decision, find_problems
from pytest_itbench.metrics.gate_text import PLAIN, SLICES, WITH_K, Both, Comparison, Either, find_ks, parse_gate
from pytest_itbench.metrics.gates import ESTIMATES, FIGURES, OPERATORS, GateResult, judge_gate, refuse_unknown
from pytest_itbench.metrics.gates import Verdict as Said
from pytest_itbench.metrics.summary import ModelInfo, RunSummary
from pytest_itbench.testing import outcomes as made
from pytest_itbench.testing.outcomes import make_attempts

made.START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VERDICTS = {"s": Verdict.SOLVED, "m": Verdict.MISSED, "i": Verdict.INVALID, "n": Verdict.INVALID, "l": Verdict.INVALID}
KINDS = {
    "s": None,
    "m": FailureKind.CHECKS_FAILED,
    "i": FailureKind.ENGINE,
    "n": FailureKind.NOT_RUN,
    "l": FailureKind.WORKER_LOST,
}


def sum_up(outcomes: Iterable[Outcome], *choices: ModelInfo, planned: int = 0) -> RunSummary:
    known = choices or (choose("m"),)
    models = (choice.label for choice in known)
    info = made.make_info(*models, attempts=2, ks=(1,), planned=planned, choices=known)
    return summarise(outcomes, info)


def choose(label: str, level: int = 2, temperature: float | None = None) -> ModelInfo:
    return ModelInfo(label=label, kind="openai", name=label, level=level, temperature=temperature)


def leaf(metric: str, sign: str, bound: float, k: int | None = None, **slices: str) -> Comparison:
    return Comparison(metric=metric, k=k, slices=tuple(slices.items()), sign=sign, bound=bound)


def judge(text: str, summary: RunSummary) -> dict[str, Said]:
    return {result.model: result.verdict for result in judge_gate(text, summary)}


# --- text ------------------------------------------------------------------------------------------------------------

SCORE, COST, SECONDS = leaf("score", ">", 1), leaf("cost", "<", 2), leaf("seconds", "==", 3)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("score > 1", SCORE),
        ("((score > 1))", SCORE),
        ("score>1", SCORE),
        ("\tscore  >\n1 ", SCORE),
        ("pass@1 >= 0.6", leaf("pass@", ">=", 0.6, 1)),
        ("pass^10 <= 0.25", leaf("pass^", "<=", 0.25, 10)),
        ("invalid_rate <= 2%", leaf("invalid_rate", "<=", 0.02)),
        ("pass@1 >= 62.5 %", leaf("pass@", ">=", 0.625, 1)),
        ("score[domain=templating] > 1", leaf("score", ">", 1, domain="templating")),
        ("pass@2[ model = a b, tag=c/d:e ] > 1", leaf("pass@", ">", 1, 2, model="a b", tag="c/d:e")),
        ("score > 1 and cost < 2", Both(parts=(SCORE, COST))),
        ("score > 1 or cost < 2 or seconds == 3", Either(parts=(SCORE, COST, SECONDS))),
        ("score > 1 or cost < 2 and seconds == 3", Either(parts=(SCORE, Both(parts=(COST, SECONDS))))),
        ("score > 1 and cost < 2 or seconds == 3", Either(parts=(Both(parts=(SCORE, COST)), SECONDS))),
        ("(score > 1 or cost < 2) and seconds == 3", Both(parts=(Either(parts=(SCORE, COST)), SECONDS))),
        ("score > 1 and (cost < 2 or seconds == 3)", Both(parts=(SCORE, Either(parts=(COST, SECONDS))))),
    ],
)
def test_a_gate_is_read_as_a_tree(text: str, tree: object) -> None:
    """`and` binds more tightly than `or`, parentheses more tightly than both, and a percent sign divides by 100."""
    assert parse_gate(text) == tree


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="],", exclude_categories=["C", "Z"]), min_size=1)
LEAVES = st.builds(
    lambda figure, slices, sign, bound: Comparison(
        metric=figure[0], k=figure[1], slices=tuple(slices), sign=sign, bound=bound
    ),
    st.one_of(
        st.tuples(st.sampled_from(sorted(PLAIN)), st.none()),
        st.tuples(st.sampled_from(sorted(WITH_K)), st.integers(1, 999)),
    ),
    st.lists(st.tuples(st.sampled_from(SLICES), VALUES), max_size=3),
    st.sampled_from(sorted(OPERATORS)),
    st.floats(0, 1e9),
)


@settings(max_examples=150, deadline=None)
@given(LEAVES)
def test_a_condition_as_text_reads_as_the_same_condition(condition: Comparison) -> None:
    """What a report prints of a condition can be given as a gate again, to the last digit of its bound."""
    assert parse_gate(str(condition)) == condition


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("|passs@1 >= 1", "unknown figure 'passs@'"),
        ("score > 1 and |scoer > 1", "unknown figure 'scoer'"),
        ("|pass >= 1", "unknown figure 'pass'"),
        ("|score@2 >= 1", "unknown figure 'score@'"),
        ("pass@|0 >= 1", "expected a whole number of at least 1"),
        ("pass@ |>= 1", "expected a whole number of at least 1"),
        ("pass@1 |=> 1", "one of >= <= > < =="),
        ("pass@1 |!= 1", "one of >= <= > < =="),
        ("score |= 1", "one of >= <= > < =="),
        ("pass@1 >= |x", "expected a number"),
        ("pass@1 >= |-1", "expected a number"),
        ("pass@1 >= |.5", "expected a number"),
        ("pass@1 >= 60 %|%", "expected and, or, the end"),
        ("score > 1 |cost < 2", "expected %, and, or, the end"),
        ("score > 1 |AND cost < 2", "expected %, and, or, the end"),
        ("score > 1 and |or cost < 2", "expected (, a name"),
        ("score > 1 and (cost < 1 or|)", "expected (, a name"),
        ("score > 1|)", "expected the end"),
        ("pass@1[|domin=x] >= 1", "unknown slice 'domin'"),
        ("pass@1[tag=a, |tga=b] >= 1", "unknown slice 'tga'"),
        ("pass@1[domain|] >= 1", "expected ="),
        ("pass@1[domain=|] >= 1", "expected a value"),
        ("pass@1[|] >= 1", "expected a name"),
        ("score > 1 and\nscore > |x", "expected a number"),
        ("score > 1 and\n|scoer > 1", "unknown figure 'scoer'"),
        ("|", "expected (, a name"),
        ("pass@1|", "one of >= <= > < =="),
        ("pass@1 >=|", "expected a number"),
        ("score > 1 and|", "expected (, a name"),
        ("(score > 1|", ")"),
        ("pass@1[domain=x >= 1|", "]"),
    ],
)
def test_a_caret_stands_under_what_is_wrong(text: str, problem: str) -> None:
    """A message names what was expected, and its caret stands under the place marked here, or after the end."""
    with pytest.raises(OptionMistake) as caught:
        parse_gate(text.replace("|", ""))
    said, shown, caret = str(caught.value).splitlines()
    assert problem in said
    assert shown.strip() == text.replace("|", "").replace("\n", " ").strip()
    assert caret == " " * (4 + text.index("|")) + "^"


def test_every_k_of_a_condition_is_found() -> None:
    """A run can be refused at its start when it has too few attempts for a gate, however deep the figure stands."""
    text = "pass@1 > 0 and (pass^3 > 0 or score > 0 and pass@5[tag=a] > 0)"
    assert find_ks(parse_gate(text)) == {1, 3, 5}


def test_every_figure_has_a_function() -> None:
    """Whatever can be written can be measured, and nothing is measured that cannot be written."""
    assert FIGURES.keys() == PLAIN.keys()
    assert ESTIMATES.keys() == WITH_K.keys()


def test_nothing_is_evaluated_as_python() -> None:
    """No module of the package calls `eval` or `exec`, so no gate and no report can run code."""
    root = Path(pytest_itbench.__file__).parent
    call = re.compile(r"(?<![\w.])(eval|exec)\s*\(")
    texts = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*.py")}
    assert len(texts) > 20
    assert [name for name, text in texts.items() if call.search(text)] == []


# --- verdicts --------------------------------------------------------------------------------------------------------

HALF = make_attempts("a", "ss") + make_attempts("b", "mm")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("pass@1 >= 0.5", Said.PASSED),
        ("pass@1 > 0.5", Said.FAILED),
        ("pass@1 <= 50%", Said.PASSED),
        ("pass@1 < 0.5", Said.FAILED),
        ("pass@1 == 0.5", Said.PASSED),
        ("pass^2 >= 0.5", Said.PASSED),
        ("pass@3 >= 0", Said.NOT_ENOUGH),
        ("score >= 0.5", Said.PASSED),
        ("solved == 2", Said.PASSED),
        ("invalid_rate <= 0", Said.PASSED),
        ("cost <= 10", Said.NOT_ENOUGH),
        ("idempotent_rate >= 0", Said.NOT_ENOUGH),
    ],
)
def test_a_gate_compares_a_figure_with_its_bound(text: str, verdict: Said) -> None:
    """Each operator does what it says; a figure that is not known, or rests on too little, decides nothing."""
    assert judge(text, sum_up(HALF)) == {"m": verdict}


@pytest.mark.parametrize(("k", "verdict"), [(1, Said.PASSED), (2, Said.NOT_ENOUGH)])
def test_fewer_than_k_valid_attempts_anywhere_are_not_enough(k: int, verdict: Said) -> None:
    """A gate is not passed on the scenarios that happened to work: each needs k valid attempts, as the text says."""
    (result,) = judge_gate(f"pass@{k} >= 0", sum_up(make_attempts("a", "ss") + make_attempts("b", "si")))
    assert result.verdict is verdict
    missing = "1 of 2 scenarios have fewer than 2 valid attempts"
    assert (missing in result.seen[0]) is (verdict is Said.NOT_ENOUGH)


@pytest.mark.parametrize(
    ("letters", "text"),
    [
        (("s" + "m" * 9,), "pass@1 >= 0.1"),
        (("s" * 3 + "m" * 7,), "pass@1 <= 30%"),
        (("s" + "m" * 9, "ss" + "m" * 8, "sss" + "m" * 7), "pass@1 >= 0.2"),
        (("s" * 7 + "m" * 3, "s" * 8 + "mm", "s" * 9 + "m"), "pass@1 >= 0.8"),
        (("s" * 7 + "m" * 3, "s" * 8 + "mm", "s" * 9 + "m"), "pass^1 == 80%"),
    ],
)
def test_a_figure_at_its_bound_is_at_its_bound(letters: tuple[str, ...], text: str) -> None:
    """One solved of ten attempts is a rate of 0.1, whatever binary fractions make of it."""
    outcomes = [outcome for number, each in enumerate(letters) for outcome in make_attempts(f"s{number}", each)]
    assert judge(text, sum_up(outcomes)) == {"m": Said.PASSED}


SLICED = [
    *make_attempts("a", "ss", domain="templating", difficulty="easy", tags=("x", "y")),
    *make_attempts("b", "mm", domain="networking", difficulty="easy", tags=("y",)),
    *make_attempts("c", "sm", domain="networking", difficulty="hard", tags=()),
]


@pytest.mark.parametrize(
    ("where", "solved"),
    [
        ("", 3),
        ("[domain=templating]", 2),
        ("[domain=networking]", 1),
        ("[difficulty=easy]", 2),
        ("[difficulty=hard]", 1),
        ("[tag=x]", 2),
        ("[tag=y]", 2),
        ("[scenario=c]", 1),
        ("[domain=networking, difficulty=easy]", 0),
        ("[tag=x, tag=y]", 2),
    ],
)
def test_a_slice_takes_the_scenarios_it_names(where: str, solved: int) -> None:
    """Slices narrow a figure to a domain, a difficulty, a tag or a scenario; several of them hold together."""
    assert judge(f"solved{where} == {solved}", sum_up(SLICED)) == {"m": Said.PASSED}


def test_a_slice_without_scenarios_decides_nothing() -> None:
    """Nothing to measure is no reason to pass."""
    assert judge("solved[domain=templating, difficulty=hard] >= 0", sum_up(SLICED)) == {"m": Said.NOT_ENOUGH}


TWO = (*make_attempts("a", "ss", model="old", level=1), *make_attempts("a", "sm", model="new", level=3))
CHOICES = (choose("old", 1), choose("new", 3, 0.7))


@pytest.mark.parametrize(
    ("where", "verdicts"),
    [
        ("", {"old": Said.PASSED, "new": Said.FAILED}),
        ("[model=old]", {"old": Said.PASSED}),
        ("[model=new]", {"new": Said.FAILED}),
        ("[level=1]", {"old": Said.PASSED}),
        ("[level=3]", {"new": Said.FAILED}),
        ("[temperature=0.7]", {"new": Said.FAILED}),
        ("[model=new, level=3, scenario=a]", {"new": Said.FAILED}),
    ],
)
def test_a_gate_is_judged_for_each_model_it_speaks_of(where: str, verdicts: dict[str, Said]) -> None:
    """A gate without a word on models holds for each of them; model, level and temperature choose among them."""
    assert judge(f"pass@1{where} >= 0.9", sum_up(TWO, *CHOICES)) == verdicts


@pytest.mark.parametrize(
    "text",
    [
        "pass@1[model=old] >= 0.9 and pass@1[model=new] >= 0.9",
        "pass@1[level=1] >= 0.9 and pass@1[level=3] >= 0.9",
        "pass@1[model=old] >= 2 or pass@1[model=new] >= 2",
        "pass@1[model=old, level=3] >= 2",
    ],
)
def test_a_gate_never_passes_for_want_of_a_model(text: str) -> None:
    """A gate that speaks of several models, or of none that there is, fails, says so or is refused: never silence."""
    try:
        results = judge_gate(text, sum_up(TWO, *CHOICES))
    except OptionMistake:
        return
    assert Decision(gates=results).status != 0


LEAF_OF = {Said.PASSED: "solved >= 0", Said.FAILED: "solved < 0", Said.NOT_ENOUGH: "cost > 0"}
ORDER = [Said.FAILED, Said.NOT_ENOUGH, Said.PASSED]


@pytest.mark.parametrize(("left", "right"), list(product(LEAF_OF, repeat=2)))
def test_and_is_the_least_and_or_the_greatest_of_three_values(left: Said, right: Said) -> None:
    """With failed < not enough < passed, `and` is the lesser and `or` the greater (Kleene's strong logic)."""
    both, summary = sorted((left, right), key=ORDER.index), sum_up(HALF)
    assert judge(f"{LEAF_OF[left]} and {LEAF_OF[right]}", summary) == {"m": both[0]}
    assert judge(f"{LEAF_OF[left]} or {LEAF_OF[right]}", summary) == {"m": both[1]}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("pass@1 >= 0.4", Said.PASSED),
        ("pass@1 >= 0.9", Said.FAILED),
        ("pass@1 >= 0.6", Said.NOT_ENOUGH),
        ("pass@1 < 0.9", Said.PASSED),
        ("pass@1 == 0.6", Said.NOT_ENOUGH),
        ("score >= 0", Said.NOT_ENOUGH),
        ("pass@1 >= 0.4 or score >= 2", Said.PASSED),
        ("pass@1 >= 0.9 and score >= 0", Said.FAILED),
        ("pass@1 > 0.5 and pass@1 < 0.7", Said.NOT_ENOUGH),
        ("pass@1 < 0.5 or pass@1 > 0.7", Said.NOT_ENOUGH),
        ("pass@1 <= 0.5 or pass@1 >= 0.7", Said.NOT_ENOUGH),
    ],
)
def test_attempts_that_are_left_out_cannot_change_what_is_said(text: str, verdict: Said) -> None:
    """A gate says passed or failed early only if it would with every end between the worst and the best."""
    worst, best = (sum_up(make_attempts("a", letters)).scenarios for letters in ("ssmmm", "ssssm"))
    results = judge_gate(text, sum_up(make_attempts("a", "ssm")), {"m": (worst, best)})
    assert [result.verdict for result in results] == [verdict]


def test_what_a_gate_looked_at_names_every_bound() -> None:
    """The bound that was missed is among what is shown, though another bound of the same figure was met."""
    (result,) = judge_gate("score >= 0.9 and score <= 1", sum_up(HALF))
    assert result.verdict is Said.FAILED
    assert [seen.partition(", wanted ")[2] for seen in result.seen] == [">= 0.9", "<= 1"]


def test_seconds_are_those_of_a_mean_attempt() -> None:
    """Attempts that ended early make the mean attempt shorter, though they have no time in the later stages."""
    short, long = (
        make_attempts(name, "m", timings=timings)
        for name, timings in (("a", {"candidate": 10.0}), ("b", {"candidate": 10.0, "apply": 100.0}))
    )
    assert judge("seconds == 60", sum_up(short + long)) == {"m": Said.PASSED}


def test_money_and_tokens_are_counted_for_solved_scenarios() -> None:
    """What was spent on missed attempts is part of the price of those that were solved."""
    spent = Usage(requests=1, input_tokens=60, output_tokens=40, cost=0.5)
    summary = sum_up(make_attempts("a", "sm", usage=spent) + make_attempts("b", "mm", usage=spent))
    gate = "cost == 2 and cost_per_solved == 2 and tokens_per_solved == 400"
    assert judge(gate, summary) == {"m": Said.PASSED}


def test_a_gate_on_what_the_run_has_not_is_refused() -> None:
    """A slice with a value that no scenario has is a mistake at the start, with the values there are."""
    known = {name: {"a", "b"} for name in SLICES}
    refuse_unknown(parse_gate("score[tag=a] > 1 and (cost < 1 or score[model=b] > 1)"), known)
    with pytest.raises(OptionMistake, match="no tag 'c'; it has: a, b"):
        refuse_unknown(parse_gate("score[tag=a] > 1 and (cost < 1 or score[tag=c] > 1)"), known)


# --- the exit status -------------------------------------------------------------------------------------------------


def gate(verdict: Said) -> GateResult:
    return GateResult(gate="", model="m", verdict=verdict, seen=())


def compared(finding: Finding) -> comparison.Comparison:
    difference = Difference(metric="pass@1", old=0.0, new=0.0, low=0.0, high=0.0, p=0.0, finding=finding, scenarios=1)
    names = {"old_run": "r", "old_model": "m", "new_model": "m"}
    return comparison.Comparison(**names, margin=0.0, differences=(difference,), flips=(), left_out=())


PASSED, FAILED, NOT_ENOUGH = gate(Said.PASSED), gate(Said.FAILED), gate(Said.NOT_ENOUGH)
BETTER, NOT_WORSE, WORSE, OPEN = (
    compared(finding) for finding in (Finding.BETTER, Finding.NOT_WORSE, Finding.WORSE, Finding.INCONCLUSIVE)
)


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        (Decision(), 0),
        (Decision(gates=(PASSED,), comparisons=(BETTER, NOT_WORSE)), 0),
        (Decision(gates=(PASSED, FAILED)), 1),
        (Decision(comparisons=(BETTER, WORSE)), 1),
        (Decision(gates=(PASSED, NOT_ENOUGH)), 10),
        (Decision(problems=("lost",)), 10),
        (Decision(gates=(PASSED,), comparisons=(OPEN, BETTER)), 11),
        (Decision(gates=(FAILED, NOT_ENOUGH), comparisons=(OPEN,), problems=("lost",)), 1),
        (Decision(gates=(NOT_ENOUGH,), comparisons=(WORSE,), problems=("lost",)), 1),
        (Decision(gates=(NOT_ENOUGH,), comparisons=(OPEN,)), 10),
        (Decision(comparisons=(OPEN,), problems=("lost",)), 10),
    ],
)
def test_the_gravest_finding_is_the_exit_status(decision: Decision, status: int) -> None:
    """Failed or worse (1) outweighs too few attempts (10), which outweigh an open comparison (11)."""
    assert decision.status == status


@pytest.mark.parametrize(
    ("letters", "planned", "gates", "problems"),
    [
        ("ss", 2, (), ()),
        ("ss", 5, (), ("3 of 5 planned attempts have no outcome",)),
        ("snl", 3, (), ("2 of 3 planned attempts have no outcome",)),
        ("snl", 4, ("invalid_rate <= 1",), ("3 of 4 planned attempts have no outcome",)),
        ("sii", 3, (), ("2 attempts are invalid",)),
        ("sii", 3, ("score >= 0",), ("2 attempts are invalid",)),
        ("sii", 3, ("invalid_rate <= 0.02",), ()),
        ("sii", 3, ("score >= 0", "pass@1 > 0 and (score > 0 or invalid_rate <= 2%)"), ()),
        ("sin", 4, (), ("2 of 4 planned attempts have no outcome", "1 attempt is invalid")),
    ],
)
def test_what_stands_in_the_way_of_a_decision(
    letters: str, planned: int, gates: tuple[str, ...], problems: tuple[str, ...]
) -> None:
    """Attempts that never ran always do; invalid ones do unless some gate says how many of them may be."""
    found = find_problems(sum_up(make_attempts("a", letters), planned=planned), gates)
    assert len(found) == len(problems)
    assert all(each.startswith(start) for each, start in zip(found, problems, strict=True))
