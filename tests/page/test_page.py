"""report.html in a browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_itbench.domain.outcome import AttemptKey, CheckResult, FailureKind, Outcome, Stage, Usage, Verdict
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.decision import Decision
from pytest_itbench.metrics.gates import judge_gate
from pytest_itbench.metrics.summary import RunInfo
from pytest_itbench.reporting import html

if TYPE_CHECKING:
    from tests.page.conftest import Browser

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DOMAINS = ("networking", "storage", "users")
HOSTILE = "</script><img src=x onerror=alert(1)>\ud800/&=#"
CANDIDATE = '- hosts: all  # </script><img src=x onerror=alert(1)>\n  tasks:\n    - debug: {msg: "{{ %s }} ö"}\n'
SHOWN_ROWS = (
    "all('#matrix tbody tr').filter((row) => !row.hidden).map((row) => row.querySelector('th').firstChild.data)"
)


def put_evidence(directory: Path, key: AttemptKey, number: int) -> dict[str, str]:
    """Files as the harness writes them."""
    folder = f"attempts/{key.scenario}/{key.model}-{key.index}"
    texts = {"prompt": ("prompt.md", "# Do it\n"), "candidate": ("candidate.yml", CANDIDATE % number)}
    texts["apply"] = ("apply.txt", f"\x1b[31mfatal\x1b[0m: {number}\n" * 20)
    (directory / folder).mkdir(parents=True)
    for name, text in texts.values():
        (directory / folder / name).write_text(text, encoding="utf-8")
    return {what: f"{folder}/{name}" for what, (name, _) in texts.items()}


def make_outcome(scenario: str, model: str, index: int, *, domain: str, solved: bool) -> Outcome:
    return Outcome(
        key=AttemptKey(scenario=scenario, model=model, index=index),
        verdict=Verdict.SOLVED if solved else Verdict.MISSED,
        stage=Stage.VALIDATE,
        kind=None if solved else FailureKind.CHECKS_FAILED,
        domain=domain,
        difficulty="easy",
        tags=("ansible",),
        level=2,
        started=START,
        message="" if solved else "1 of 2 checks failed: port is open",
        checks=tuple(CheckResult(name=name, passed=solved, seconds=0.1) for name in ("port is open", "mode is right")),
        score=float(solved),
        usage=Usage(requests=1, input_tokens=500, output_tokens=200, cost=0.001),
        timings={"environment": 1.5, "apply": 3.0, "validate": 0.25},
    )


def write_page(
    directory: Path, outcomes: list[Outcome], *, evidence: bool = False, gates: tuple[str, ...] = ()
) -> Path:
    """The page by the code that writes it in a run."""
    if evidence:
        outcomes = [
            Outcome(
                **{name: getattr(each, name) for name in Outcome.__slots__}
                | {"evidence": put_evidence(directory, each.key, number)}
            )
            for number, each in enumerate(outcomes)
        ]
    info = RunInfo(
        run="night",
        started=START,
        ended=START + timedelta(seconds=90),
        version="0.1.0",
        python_version="3.13.1",
        pytest_version="9.2.0",
        models=tuple(dict.fromkeys(each.key.model for each in outcomes)),
        attempts=5,
        ks=(1, 3, 5),
        planned=len(outcomes),
        environment="fake",
    )
    summary = summarise(outcomes, info)
    if gates:
        decision = Decision(gates=tuple(result for gate in gates for result in judge_gate(gate, summary)))
        summary = replace(summary, decision=decision)
    return html.write(summary, directory)


def make_outcomes(scenarios: int, attempts: int, models: tuple[str, ...]) -> list[Outcome]:
    """Scenario s has s solved attempts, at most all."""
    return [
        make_outcome(f"s{number}", model, index, domain=DOMAINS[number % 3], solved=index < number)
        for model in models
        for number in range(scenarios)
        for index in range(attempts)
    ]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models by six scenarios, with evidence."""
    return write_page(tmp_path_factory.mktemp("run"), make_outcomes(6, 5, ("oracle", "kind:name")), evidence=True)


def test_console_stays_silent(browser: Browser, page: Path) -> None:
    """Neither an error nor a breach of the page's own policy occurs, with an attempt open either."""
    seen = browser.visit(page, "#attempt=s2/kind:name/1")
    assert seen.console == []
    assert 'data-state="shown"' in seen.elements


def test_policy_refuses_a_foreign_script(browser: Browser, page: Path) -> None:
    """A script that is not ours would not run, and these tests would notice."""
    changed = page.with_name("changed.html")
    changed.write_text(page.read_text("utf-8").replace("</body>", "<script>document.title = 'taken'</script></body>"))
    seen = browser.visit(changed)
    assert "<title>night - pytest-itbench</title>" in seen.elements
    assert any("Content Security Policy" in line for line in seen.console)


def test_two_thousand_attempts_open_quickly(browser: Browser, tmp_path: Path) -> None:
    """Two seconds on a usual machine; twice that here, as others may use it too."""
    big = write_page(tmp_path, make_outcomes(200, 10, ("oracle",)), evidence=True)
    seen = browser.visit(big, patience=None)
    assert seen.elements.count('<button type="button" class="cell ') == 2000
    assert seen.milliseconds < 4000


def test_the_decision_stands_on_the_page(browser: Browser, page: Path, tmp_path: Path) -> None:
    """What each gate says, with its figure; a run without gates has no such section."""
    decided = write_page(tmp_path, make_outcomes(6, 5, ("oracle",)), gates=("pass@1 >= 0.9", "pass@1 >= 0.1"))
    seen = browser.visit(decided).elements
    assert "gate failed: oracle: pass@1 = 0.5 " in seen
    assert "gate passed: oracle: pass@1 = 0.5 " in seen
    assert "gate failed" not in browser.visit(page).elements


def test_every_plot_is_drawn(browser: Browser, page: Path) -> None:
    """Each canvas has pixels in the colours of both models, and the table below it their figures."""
    script = """
    await until(() => find("#chart-cost canvas"));
    const near = (data, at, colour) => colour.every((value, part) => Math.abs(data[at + part] - value) < 40);
    const pixels = (data, colour) => {
      let found = 0;
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 150 && near(data, at, colour)) found += 1;
      return found;
    };
    return all(".chart").map((chart) => {
      const canvas = chart.querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return { id: chart.id, rows: chart.querySelectorAll("tbody tr").length,
        first: pixels(data, [0x2b, 0x5f, 0xc7]), second: pixels(data, [0xd3, 0x6a, 0x0a]) };
    });
    """
    plots = browser.ask(page, script)
    assert [plot["id"] for plot in plots] == ["chart-pass", "chart-seconds", "chart-tokens", "chart-cost"]
    assert all(min(plot["first"], plot["second"]) > 50 for plot in plots)
    assert all(plot["rows"] == 2 for plot in plots)


def test_curves_switch_to_all_of_k(browser: Browser, page: Path) -> None:
    """The switch changes the figures of plot and table; intervals stand beside the values."""
    script = """
    const table = () => find("#chart-pass table").textContent;
    const before = table();
    find("#chart-pass .choice button:nth-child(2)").click();
    return [before, table(), find("#cards .interval").textContent];
    """
    before, after, interval = browser.ask(page, script)
    assert "pass@5" in before
    assert "pass^5" in after
    assert "0.83 [" in before
    assert "0.17 [" in after
    assert interval.startswith("[0.")


def test_groups_by_tag_and_difficulty(browser: Browser, page: Path) -> None:
    """Results can be seen by domain, difficulty and tag, at every rate."""
    script = """
    const rows = () => all("#groups tbody th").map((cell) => cell.textContent);
    const found = [rows()];
    for (const button of all("#by-choice button").slice(1)) { button.click(); found.push(rows()); }
    find("#rate").value = "pass_all 2";
    find("#rate").dispatchEvent(new page.Event("input"));
    const options = all("#rate option").map((option) => option.textContent);
    return { found, options, cell: find("#groups tbody td").title };
    """
    answer = browser.ask(page, script)
    assert answer["found"] == [[*DOMAINS, "all scenarios"], ["easy"], ["ansible", "all scenarios"]]
    assert answer["options"] == ["pass@1", "pass@3", "pass@5", "pass^3", "pass^5"]
    assert answer["cell"].startswith("95 % interval [")


def test_permalink_opens_an_attempt_with_its_candidate(browser: Browser, page: Path) -> None:
    """The candidate is unpacked to the letter and coloured, and its markup is text."""
    script = """
    await until(() => find(".text[data-what=candidate] pre"));
    const candidate = find(".text[data-what=candidate] pre");
    find(".text[data-what=apply]").open = true;
    await until(() => find(".text[data-what=apply] pre"));
    return { title: find("#details-title").textContent, text: candidate.textContent, images: all("img").length,
      coloured: [...candidate.querySelectorAll("[class^=hl-]")].map((part) => part.className + ":" + part.textContent),
      output: find(".text[data-what=apply] pre").textContent, checks: all(".checks li").length,
      link: find(".text[data-what=candidate] a").getAttribute("href"), button: find(".text-tools button").textContent };
    """
    answer = browser.ask(page, script, "#attempt=s2/kind:name/1")
    number = 30 + 2 * 5 + 1
    assert answer["title"] == "s2 · kind:name · attempt 2"
    assert answer["text"] == CANDIDATE % number
    assert "hl-attr:hosts:" in answer["coloured"]
    assert f"hl-template-variable:{{{{ {number} }}}}" in answer["coloured"]
    assert answer["images"] == 0
    assert answer["output"] == f"fatal: {number}\n" * 20
    assert answer["checks"] == 2
    assert answer["link"] == "attempts/s2/kind%3Aname-1/candidate.yml"
    assert answer["button"] == "Download"


def test_back_and_forward_follow_the_attempts(browser: Browser, page: Path) -> None:
    """Opening and closing attempts are steps of the browser's history."""
    script = """
    const title = () => (find("#details").open ? find("#details-title").textContent : "closed");
    const now = () => [page.location.hash, title()];
    const travel = async (way) => {
      const before = page.location.hash;
      page.history[way]();
      await until(() => page.location.hash !== before);
      return now();
    };
    const seen = [now()];
    all("button.cell")[0].click(); seen.push(now());
    find("#details-next").click(); seen.push(now());
    find("#details-close").click();
    await until(() => !page.location.hash.includes("attempt"));
    seen.push(now());
    seen.push(await travel("back"), await travel("back"), await travel("forward"));
    return seen;
    """
    first, second = ["s0 · oracle · attempt 1", "s0 · oracle · attempt 2"]
    hashes = ["", "#attempt=s0/oracle/0", "#attempt=s0/oracle/1", "", "#attempt=s0/oracle/1", "#attempt=s0/oracle/0"]
    titles = ["closed", first, second, "closed", second, first]
    assert browser.ask(page, script) == [*map(list, zip(hashes, titles, strict=True)), [hashes[2], second]]


def test_address_keeps_filter_and_order(browser: Browser, page: Path) -> None:
    """Filter and order come from the address and go into it."""
    script = f"""
    const found = [{SHOWN_ROWS}, find("#shown").textContent];
    find("#sort").value = "most";
    find("#sort").dispatchEvent(new page.Event("input", {{ bubbles: true }}));
    await until(() => page.location.hash.includes("most"));
    return [...found, {SHOWN_ROWS}, page.location.hash];
    """
    rows, shown, sorted_rows, address = browser.ask(page, script, "#model=oracle&verdict=missed&sort=least")
    assert rows == ["s0", "s1", "s2", "s3", "s4"]
    assert shown == "15 attempts of 60 in 5 scenarios"
    assert sorted_rows == rows[::-1]
    assert address == "#model=oracle&verdict=missed&sort=most"


def test_search_and_orders(browser: Browser, page: Path) -> None:
    """Text is looked for in names and messages; the usual order is by domain, then name."""
    assert browser.ask(page, f"return {SHOWN_ROWS};") == ["s0", "s3", "s1", "s4", "s2", "s5"]
    assert browser.ask(page, f"return {SHOWN_ROWS};", "#sort=name") == ["s0", "s1", "s2", "s3", "s4", "s5"]
    assert browser.ask(page, f"return {SHOWN_ROWS};", "#q=storage&sort=most") == ["s4", "s1"]
    assert browser.ask(page, f"return {SHOWN_ROWS};", "#q=port%20is&domain=users") == ["s2"]


def test_keys_move_in_the_matrix(browser: Browser, page: Path) -> None:
    """One cell is in the order of Tab, and arrows, Home and End move from it."""
    script = """
    const start = find('button.cell[tabindex="0"]');
    start.focus();
    const pressed = (key) => new page.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    const press = (key) => doc.activeElement.dispatchEvent(pressed(key));
    const label = () => doc.activeElement.getAttribute("aria-label");
    const seen = [label()];
    for (const key of ["ArrowRight", "ArrowDown", "End", "Home", "ArrowUp"]) { press(key); seen.push(label()); }
    return { seen, stops: all('button.cell[tabindex="0"]').length };
    """
    answer = browser.ask(page, script)
    assert [label.rpartition(":")[0] for label in answer["seen"]] == [
        "s0, oracle, attempt 1",
        "s0, oracle, attempt 2",
        "s3, oracle, attempt 2",
        "s3, kind:name, attempt 5",
        "s3, oracle, attempt 1",
        "s0, oracle, attempt 1",
    ]
    assert answer["stops"] == 1


def test_dark_mode_reaches_the_plots(browser: Browser, page: Path) -> None:
    """Page and canvas follow the reader's choice; paper is light."""
    script = """
    const { data } = find("#chart-pass canvas").getContext("2d").getImageData(0, 0, 1000, 300);
    let found = 0;
    const wanted = [0x7b, 0xa4, 0xf7];
    for (let at = 0; at < data.length; at += 4) if (wanted.every((value, i) => data[at + i] === value)) found += 1;
    const colour = () => page.getComputedStyle(doc.body).backgroundColor;
    const dark = colour();
    page.dispatchEvent(new page.Event("beforeprint"));
    const paper = [colour(), all("details.as-table").every((table) => table.open)];
    page.dispatchEvent(new page.Event("afterprint"));
    return { found, dark, paper, after: colour() };
    """
    answer = browser.ask(page, script, "", "--blink-settings=preferredColorScheme=0")
    assert answer["found"] > 50
    assert answer["dark"] == answer["after"] == "rgb(15, 19, 25)"
    assert answer["paper"] == ["rgb(245, 246, 248)", True]


def test_hostile_names_stay_text(browser: Browser, tmp_path: Path) -> None:
    """Names that look like markup or break addresses are shown as text, and their attempts can be opened."""
    outcomes = [make_outcome(HOSTILE, HOSTILE, index, domain=HOSTILE, solved=False) for index in range(2)]
    hostile = write_page(tmp_path, outcomes)
    script = """
    all("button.cell")[1].click();
    const address = page.location.hash;
    find("#details-close").click();
    await until(() => !page.location.hash);
    page.location.hash = address;
    await until(() => find("#details").open);
    return { images: all("img").length, title: find("#details-title").textContent };
    """
    answer = browser.ask(hostile, script)
    assert answer["images"] == 0
    assert answer["title"].endswith("attempt 2")


def test_too_many_attempts_leave_figures(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit each scenario has its figure, filter and order still work, and the page says what is missing."""
    monkeypatch.setattr(html, "MOST_ATTEMPTS", 59)
    reduced = write_page(tmp_path, make_outcomes(6, 5, ("oracle", "kind:name")))
    script = f"""
    return {{ rows: {SHOWN_ROWS}, cells: all("button.cell").length, notices: find("#notices").textContent,
      figure: find("#matrix tr:not([hidden]) .figure").title }};
    """
    answer = browser.ask(reduced, script, "#sort=most&domain=storage")
    assert answer["rows"] == ["s4", "s1"]
    assert answer["cells"] == 0
    assert "too many attempts for one page" in answer["notices"]
    assert answer["figure"].startswith("4/5 scored attempts solved")
