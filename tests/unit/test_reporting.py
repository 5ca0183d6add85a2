"""What the terminal and the four files say about a run."""

from __future__ import annotations

import json
import os
import re
import sys
import zlib
from base64 import b64decode, b64encode
from dataclasses import replace
from html import unescape as html_unescape
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
import xmlschema
from junitparser import Error, Failure, JUnitXml, Properties, TestCase

from pytest_itbench.domain.outcome import CheckResult, Outcome
from pytest_itbench.domain.scenario import Domain
from pytest_itbench.errors import UnknownName
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.summary import RunSummary
from pytest_itbench.reporting import html, junit, markdown, summary_json
from pytest_itbench.reporting.document import build_document
from pytest_itbench.reporting.files import REPORTERS, write_reports
from pytest_itbench.reporting.terminal import FOOTNOTE, render_summary
from pytest_itbench.reporting.wording import first_line, invalid_causes, printable, shorten
from pytest_itbench.testing import outcomes as made

HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[31m|`a`\x00\x1b]0;t\x07 @team &amp; \u2028 \ud800 ]]>\n# head"
MODELS = ("oracle", "noop", "replay:sample")
PAGE_SCRIPTS = 5  # content, texts, two libraries, our own


def make_attempts(
    scenario: str,
    letters: str,
    *,
    model: str = "m",
    domain: str = "networking",
    message: str = "",
    hint: str = "",
) -> list[Outcome]:
    """One attempt per letter: s(olved), m(issed) or i(nvalid)."""
    attempts = made.make_attempts(
        scenario,
        letters,
        model=model,
        domain=domain,
        tags=("ansible",),
        message=message,
        hint=hint,
        timings={"environment": 1.5, "validate": 0.25},
    )
    return [
        replace(
            attempt,
            checks=(CheckResult(name="answers", passed=letter == "s", message=message, seconds=0.1),),
            score=float(letter == "s"),
            evidence={"reply": f"attempts/{scenario}/{index}/reply.txt"},
        )
        for index, (letter, attempt) in enumerate(zip(letters, attempts, strict=True))
    ]


def make_summary(
    outcomes: list[Outcome], *, ks: tuple[int, ...] = (1, 3, 5), planned: int = 0, run: str = "night"
) -> RunSummary:
    models = dict.fromkeys(outcome.key.model for outcome in outcomes)
    info = made.make_info(*models, run=run, attempts=5, ks=ks, planned=planned or len(outcomes))
    return summarise(outcomes, info)


@pytest.fixture
def full() -> RunSummary:
    """Three models by all domains, with invalid attempts in one scenario."""
    letters = {"oracle": "sssss", "noop": "mmmmm", "replay:sample": "smsim"}
    return make_summary(
        [
            outcome
            for model in MODELS
            for domain in Domain
            for outcome in make_attempts(f"one-{domain}", letters[model], model=model, domain=domain)
        ]
    )


@pytest.fixture
def hostile() -> RunSummary:
    """A run in which every text that a person or a model could write is hostile."""
    names = {"model": HOSTILE, "domain": HOSTILE, "message": HOSTILE, "hint": HOSTILE}
    return make_summary(make_attempts(HOSTILE, "mmi", **names), run=HOSTILE)


class PageParser(HTMLParser):
    """Keeps the tags of a page, and the text inside its JSON script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.content = ""
        self.texts = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        self._inside = dict(attrs).get("id") or ""

    def handle_data(self, data: str) -> None:
        if self._inside == "content":
            self.content += data
        if self._inside == "texts":
            self.texts += data

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside = ""


def write_junit(summary: RunSummary, directory: Path) -> list[TestCase]:
    return [case for suite in JUnitXml.fromfile(str(junit.write(summary, directory))) for case in suite]


# The terminal


def test_terminal_fits_eighty_columns(full: RunSummary) -> None:
    """No line is longer than the terminal, and no name or figure is cut."""
    text = render_summary(full, 80, colour=False)
    assert max(map(len, text.splitlines())) <= 80
    assert all(domain in text for domain in Domain)
    table, _, _ = text.partition("*")
    assert "…" not in table


def test_terminal_rows_are_models_with_domains_and_a_total(full: RunSummary) -> None:
    """A model's rows are its domains and, after them, all scenarios together."""
    lines = [line.split() for line in render_summary(full, 80, colour=False).splitlines()]
    assert ["networking", "5", "0", "0", "1.00", "1.00", "1.00"] in lines
    assert ["all", "10", "scenarios", "20", "20", "10", "0.50", "1.00", "n/a"] in lines


def test_terminal_repeats_no_total_of_a_single_domain() -> None:
    """With one domain the total would say the same twice, so it is left out."""
    text = render_summary(make_summary(make_attempts("a", "sm")), 80, colour=False)
    assert "networking" in text
    assert "all 1" not in text


def test_terminal_marks_partial_rates() -> None:
    """A pass@k that leaves scenarios out is marked, and the mark is explained; otherwise neither is there."""
    partial = make_summary(make_attempts("a", "sss") + make_attempts("b", "s"), ks=(1, 3))
    whole = make_summary(make_attempts("a", "sss"), ks=(1, 3))
    assert "1.00*" in render_summary(partial, 80, colour=False)
    assert FOOTNOTE in render_summary(partial, 80, colour=False)
    assert "*" not in render_summary(whole, 80, colour=False)


def test_terminal_groups_invalid_attempts_by_cause() -> None:
    """Invalid attempts of one cause are one line with their number, first line and hint."""
    outcomes = make_attempts("a", "ii", message="disk full\ntrace", hint="prune") + make_attempts("b", "s")
    lines = render_summary(make_summary(outcomes), 80, colour=False).splitlines()
    assert lines[-2:] == ["2 invalid: engine: disk full", "    hint: prune"]


def test_terminal_says_how_many_causes_it_leaves_out() -> None:
    """Many causes do not flood the terminal, and the rest is counted."""
    outcomes = [outcome for number in range(9) for outcome in make_attempts(f"{number}", "i", message=f"c{number}")]
    lines = render_summary(make_summary(outcomes), 80, colour=False).splitlines()
    assert len([line for line in lines if " invalid: " in line]) == 4
    assert lines[-1].strip() == "and 5 other causes of invalid attempts"


def test_terminal_names_lost_attempts() -> None:
    """A planned attempt that never came back is not passed over."""
    summary = make_summary(make_attempts("a", "s"), planned=4)
    assert "3 of 4 planned attempts lost" in render_summary(summary, 80, colour=False)


def test_terminal_colours_only_when_asked(full: RunSummary) -> None:
    """Escape sequences appear with colour and never without; the text is the same."""
    plain, coloured = render_summary(full, 80, colour=False), render_summary(full, 80, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert [line.split() for line in printable(coloured).splitlines()] == [line.split() for line in plain.splitlines()]


@pytest.mark.parametrize("width", [1, 40, 80, 200])
def test_terminal_bears_hostile_text(hostile: RunSummary, width: int) -> None:
    """Whatever a message holds, no control character reaches the terminal and no line is too long."""
    text = render_summary(hostile, width, colour=False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text)
    assert max(map(len, text.splitlines())) <= max(width, 40)


def test_terminal_bears_an_empty_run() -> None:
    """A run without outcomes has a summary without table."""
    assert render_summary(make_summary([], planned=2), 80, colour=False).splitlines() == [
        "0 attempts: 0 solved, 0 missed, 0 invalid",
        "2 of 2 planned attempts lost",
    ]


# summary.json


@pytest.mark.parametrize("which", ["full", "hostile"])
def test_json_obeys_its_schema(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The file is valid against the published schema, which is itself valid and closed."""
    schema = summary_json.load_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    record = json.loads(summary_json.write(request.getfixturevalue(which), tmp_path).read_text())
    jsonschema.Draft202012Validator(schema).validate(record)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**record, "surprise": 1})


def test_json_schema_describes_every_field() -> None:
    """Each property of the schema says what it means, and every object with named fields is closed."""

    def walk(node: object) -> None:
        if isinstance(node, list):
            for item in node:
                walk(item)
        if not isinstance(node, dict):
            return
        for name, field in node.get("properties", {}).items():
            assert "description" in field or "oneOf" in field, name
            assert node["additionalProperties"] is False
        for item in node.values():
            walk(item)

    walk(summary_json.load_schema())


def test_json_keeps_each_attempt_to_the_letter(tmp_path: Path) -> None:
    """An attempt's verdict, kind, message and evidence are found under its scenario, unaltered."""
    path = summary_json.write(make_summary(make_attempts("a", "m", message=HOSTILE)), tmp_path)
    attempt = json.loads(path.read_text())["scenarios"][0]["attempts"][0]
    assert (attempt["verdict"], attempt["kind"], attempt["message"]) == ("missed", "checks failed", HOSTILE)
    assert attempt["evidence"] == {"reply": "attempts/a/0/reply.txt"}


# junit.xml


@pytest.mark.parametrize(
    ("letters", "result"), [("sss", None), ("smm", None), ("si", None), ("mmi", Failure), ("ii", Error)]
)
def test_junit_result_of_a_scenario(letters: str, result: type | None, tmp_path: Path) -> None:
    """A case passes if an attempt solved it, fails if none did, and is an error if none was scored."""
    (case,) = write_junit(make_summary(make_attempts("a", letters)), tmp_path)
    assert [type(entry) for entry in case.result] == ([result] if result else [])


def test_junit_names_cases_uniquely(full: RunSummary, tmp_path: Path) -> None:
    """Class name and name together identify a case across suites, as GitLab needs."""
    cases = write_junit(full, tmp_path)
    assert len({(case.classname, case.name) for case in cases}) == len(cases) == 3 * len(Domain)
    assert "noop.networking" in {case.classname for case in cases}


def test_junit_of_one_model_has_the_domain_as_class(tmp_path: Path) -> None:
    """With one model the class is the domain, so that two models' runs can be compared."""
    (case,) = write_junit(make_summary(make_attempts("a", "s")), tmp_path)
    assert (case.classname, case.name, case.time) == ("networking", "a", 1.75)


def test_junit_properties_hold_the_figures(tmp_path: Path) -> None:
    """Counts and pass@k of a scenario are its properties, n/a where there are too few attempts."""
    (case,) = write_junit(make_summary(make_attempts("a", "smi"), ks=(1, 3)), tmp_path)
    properties = case.child(Properties)
    assert properties is not None
    assert {entry.name: entry.value for entry in properties} == {
        "difficulty": "easy",
        "tags": "ansible",
        "n": "2",
        "solved": "1",
        "missed": "1",
        "invalid": "1",
        "pass@1": "0.50",
        "pass@3": "n/a",
        "pass@1 interval": "0.09 to 0.91",
        "pass^1": "0.50",
        "pass^3": "n/a",
    }


def test_junit_follows_the_schema_of_xunit(full: RunSummary, hostile: RunSummary, tmp_path: Path) -> None:
    """Jenkins' own schema holds, with the properties of cases that Jenkins and others read as well."""
    text = Path(__file__).with_name("junit-10.xsd").read_text("utf-8")
    case = text.index('<xs:element name="testcase">')
    place = text.index('<xs:element ref="skipped"', case)
    schema = xmlschema.XMLSchema(text[:place] + '<xs:element ref="properties"/>' + text[place:])
    for summary in (full, hostile):
        schema.validate(str(junit.write(summary, tmp_path)))


def test_junit_failure_tells_each_miss(tmp_path: Path) -> None:
    """The message counts the failure kinds, the text has each miss's own message, and no invalid one's."""
    (case,) = write_junit(make_summary(make_attempts("a", "mim", message="port closed")), tmp_path)
    (failure,) = case.result
    assert failure.message == "missed: 2 checks failed"
    assert failure.text == "attempt 0: checks failed\nport closed\n\nattempt 2: checks failed\nport closed"


def test_junit_bears_hostile_text(hostile: RunSummary, tmp_path: Path) -> None:
    """Control characters, escape sequences and markup leave well-formed XML with the readable text."""
    (case,) = write_junit(hostile, tmp_path)
    (failure,) = case.result
    assert "</script><img src=x onerror=alert(1)>|`a`\ufffd @team" in failure.text
    assert "\x1b" not in failure.text


# summary.md


def test_markdown_has_a_row_per_model_and_domain(full: RunSummary) -> None:
    """The tables hold the figures of models, of domains, and of scenarios."""
    text = html_unescape(markdown.render_markdown(full))
    (row,) = [line for line in text.splitlines() if line.startswith("| **replay:sample** | 10 | 0.50 [")]
    assert row.endswith(" | n/a | 20 | 20 | 10 |")
    assert "| noop | networking | 1 | 0.00 [0.00, 0.43] | " in text
    assert "| networking | one-networking | 5/5 | 0/5 | 2/4, 1 invalid |" in text


def test_markdown_leaves_out_what_has_nothing_to_say() -> None:
    """A run of one domain without failures has neither domain, failure nor cause tables."""
    text = markdown.render_markdown(make_summary(make_attempts("a", "sss")))
    assert "###" not in text


def test_markdown_says_which_model_did_not_try_a_scenario() -> None:
    """A scenario that one model did not try is n/a for it, not 0 of 0."""
    outcomes = make_attempts("a", "s", model="x") + make_attempts("b", "m", model="y")
    assert "| networking | a | 1/1 | n/a |" in markdown.render_markdown(make_summary(outcomes))


def test_markdown_bears_hostile_text(hostile: RunSummary, tmp_path: Path) -> None:
    """Untrusted text adds no HTML, no column, no line, no mention and no heading."""
    text = markdown.write(hostile, tmp_path).read_text("utf-8")
    assert set(re.findall(r"</?(\w+)", text)) == {"code", "details", "summary"}
    assert not re.search(r"[`\x1b]|@(?!\d)|^# ", text, re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


# report.html


def test_page_embeds_its_content_exactly(full: RunSummary) -> None:
    """The page's JSON parses to the summary with each attempt's checks."""
    record = json.loads(PageParser(html.render_page(full)).content)
    assert record == html.build_content(full)
    assert record["scenarios"][0]["attempts"][0]["checks"][0]["name"] == "answers"


def test_page_bears_hostile_text(hostile: RunSummary, tmp_path: Path) -> None:
    """Hostile text ends no script, adds no element, and still arrives as text."""
    page = PageParser(html.write(hostile, tmp_path).read_text("utf-8"))
    assert page.tags.count("script") == PAGE_SCRIPTS
    assert "img" not in page.tags
    message = json.loads(page.content)["scenarios"][0]["attempts"][0]["message"]
    assert message.startswith("</script><img src=x onerror=alert(1)>|`a`")


def test_page_needs_nothing_from_outside(full: RunSummary) -> None:
    """The page loads no other resource, and its policy forbids it to."""
    page = html.render_page(full)
    assert PageParser(page).addresses == ["#attempts", "#attempts"]
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_page_script_inserts_text_only(full: RunSummary) -> None:
    """Our scripts use no way of turning text into markup or code, and the page's policy refuses all of them."""
    scripts = Path(html.__file__).with_name("templates").glob("*.js")
    text = "".join(script.read_text("utf-8") for script in scripts)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text)
    policy = html.render_page(full).partition("</head>")[0]
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy


def test_every_script_of_the_page_is_joined() -> None:
    """A script that lies among the templates is part of the page."""
    scripts = Path(html.__file__).with_name("templates").glob("*.js")
    assert {script.stem for script in scripts} == set(html.OWN_SCRIPTS)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("attempts/a/reply.txt", "attempts/a/reply.txt"),
        ("a b/r:s#1?.txt", "a%20b/r%3As%231%3F.txt"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("/etc/passwd", None),
        ("//evil.example/x", None),
        ("a/../../secret", None),
        ("..\\secret", None),
        ("", None),
    ],
)
def test_links_stay_inside_the_run(path: str, target: str | None) -> None:
    """Evidence is linked by a relative path only, and never outside the run's directory."""
    assert html.link(path) == target


def test_page_cuts_long_messages() -> None:
    """A message of megabytes does not make the page unusable."""
    content = html.build_content(make_summary(make_attempts("a", "m", message="x" * 1_000_000)))
    assert len(html.embed(content)) < 20_000


def test_page_cuts_messages_shorter_when_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """All messages together keep within what a browser takes, and each still says something."""
    monkeypatch.setattr(html, "MESSAGES", 8_000)
    content = html.build_content(make_summary(make_attempts("a", "m" * 50, message="x" * 5_000)))
    lengths = {len(attempt["message"]) for attempt in content["scenarios"][0]["attempts"]}
    assert lengths == {html.SHORTEST}


def test_page_of_very_many_attempts_has_no_single_ones(full: RunSummary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit the page keeps every figure but no attempt, and says so to its script."""
    monkeypatch.setattr(html, "MOST_ATTEMPTS", len(full.outcomes) - 1)
    content, whole = html.build_content(full), build_document(full)
    assert content["reduced"]
    assert content["groups"] == whole["groups"]
    assert [record["tally"] for record in content["scenarios"]] == [record["tally"] for record in whole["scenarios"]]
    assert not any(record["attempts"] for record in content["scenarios"])


# Evidence inside report.html


def unpack(line: str) -> str:
    return zlib.decompress(b64decode(line), wbits=-15).decode()


def put(place: Path, text: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")
    return place


def test_evidence_is_in_the_page_as_text(tmp_path: Path) -> None:
    """What a model wrote arrives to the letter, less what nobody can see, and adds no element."""
    hostile = "</script><img src=x onerror=alert(1)>\x1b[31m<!--\u202e\n"
    put(tmp_path / "attempts/a/0/reply.txt", hostile)
    page = PageParser(html.write(make_summary(make_attempts("a", "s")), tmp_path).read_text("utf-8"))
    target, place = json.loads(page.content)["scenarios"][0]["attempts"][0]["evidence"]["reply"]
    assert target == "attempts/a/0/reply.txt"
    assert unpack(page.texts.split("\n")[place]) == "</script><img src=x onerror=alert(1)><!--\ufffd\n"
    assert page.tags.count("script") == PAGE_SCRIPTS
    assert "img" not in page.tags


def test_a_missing_file_is_only_linked(tmp_path: Path) -> None:
    """Evidence that is not there costs the page nothing but its text."""
    content = html.build_content(make_summary(make_attempts("a", "s")), html.EmbeddedTexts(tmp_path))
    assert content["scenarios"][0]["attempts"][0]["evidence"] == {"reply": ["attempts/a/0/reply.txt", None]}


def test_the_same_text_is_embedded_once(tmp_path: Path) -> None:
    """Prompts repeat, and the page does not grow with them."""
    texts = html.EmbeddedTexts(tmp_path)
    for name, text in {"a": "same", "b": "other", "c": "same"}.items():
        put(tmp_path / name, text)
    assert [texts.add(name) for name in "abc"] == [0, 1, 0]
    assert [unpack(line) for line in texts.lines] == ["same", "other"]


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    """One huge file is cut, and the page knows."""
    texts = html.EmbeddedTexts(tmp_path)
    put(tmp_path / "short", "x" * html.LARGEST_TEXT)
    put(tmp_path / "long", "y" * (html.LARGEST_TEXT + 1))
    assert [texts.add("short"), texts.add("long")] == [0, 1]
    assert texts.cut == [1]
    assert len(unpack(texts.lines[1])) == html.LARGEST_TEXT


def test_embedding_ends_with_its_budget(tmp_path: Path) -> None:
    """What has no room left is linked only, and no further file is read."""
    put(tmp_path / "a", "first")
    put(tmp_path / "b", "second")
    texts = html.EmbeddedTexts(tmp_path, budget=len(b64encode(b"first")) + 4)
    assert texts.add("a") == 0
    assert texts.add("b") is None
    assert texts.add("a") is None


def test_no_file_outside_the_run_is_read(tmp_path: Path) -> None:
    """No path, link or pipe in a run's directory brings a foreign text into the page, or makes it wait."""
    run, secret = tmp_path / "run", put(tmp_path / "elsewhere/secret.txt", "secret")
    put(run / "own.txt", "own")
    (run / "link.txt").symlink_to(secret)
    (run / "folder").symlink_to(secret.parent)
    (run / "loop").symlink_to(run / "loop")
    (run / "directory").mkdir()
    os.mkfifo(run / "pipe")
    (run / "binary").write_bytes(b"a\0b")
    texts = html.EmbeddedTexts(run)
    paths = [
        "../elsewhere/secret.txt",
        str(secret),
        "link.txt",
        "folder/secret.txt",
        "loop/x",
        "directory",
        "pipe",
        "binary",
    ]
    assert [texts.add(path) for path in [*paths, "", "a\0b", "\ud800"]] == [None] * 11
    assert texts.add("own.txt") == 0
    assert [unpack(line) for line in texts.lines] == ["own"]


# All files


def register_reporters(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution that registers the reporter ``shout``."""
    metadata = directory / "shouting-1.0.dist-info"
    metadata.mkdir(parents=True)
    metadata.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
    metadata.joinpath("entry_points.txt").write_text("[pytest_itbench.reporters]\nshout = shouting:write\n")
    directory.joinpath("shouting.py").write_text(
        "def write(summary, directory):\n"
        "    path = directory / 'shout.txt'\n"
        "    path.write_text(summary.info.run.upper())\n"
        "    return path\n"
    )
    monkeypatch.syspath_prepend(directory)
    monkeypatch.delitem(sys.modules, "shouting", raising=False)


def test_all_reports_are_written(full: RunSummary, tmp_path: Path) -> None:
    """Each reporter writes its file into a directory that need not exist."""
    written = write_reports(full, tmp_path / "reports" / "night")
    names = {"json": "summary.json", "junit": "junit.xml", "html": "report.html", "markdown": "summary.md"}
    assert set(names) == set(REPORTERS)
    assert written == {name: tmp_path / "reports" / "night" / file for name, file in names.items()}
    assert all(path.stat().st_size for path in written.values())


def test_a_reporter_of_another_package_is_found(
    full: RunSummary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever registers an entry point adds a report without a change here."""
    register_reporters(tmp_path / "site", monkeypatch)
    written = write_reports(full, tmp_path / "run", ["shout"])
    assert written["shout"].read_text() == "NIGHT"


def test_an_unknown_reporter_writes_nothing(full: RunSummary, tmp_path: Path) -> None:
    """A wrong name is told before any file is written."""
    with pytest.raises(UnknownName, match="unknown reporter 'nope'"):
        write_reports(full, tmp_path / "run", ["nope"])
    assert not (tmp_path / "run").exists()


# Wording


def test_printable_keeps_what_people_write() -> None:
    """Letters of any script, tabs and line ends stay; escape sequences, controls and reordering marks go."""
    assert printable("Grüße 漢字 😀\tx\r\ny") == "Grüße 漢字 😀\tx\ny"
    assert printable("\x1b[1;31mred\x1b[0m\x07\u202e") == "red\ufffd\ufffd"


def test_first_line_skips_blank_lines_and_cuts() -> None:
    """The first line that says something is taken, with an ellipsis when it is too long."""
    assert first_line("\n  \n one \ntwo") == "one"
    assert first_line("abcdef", 4) == "abc…"
    assert (shorten("abcd", 4), first_line("")) == ("abcd", "")


def test_causes_are_sorted_by_frequency() -> None:
    """The most frequent cause comes first, whichever model met it."""
    outcomes = make_attempts("a", "i", message="rare") + make_attempts("b", "ii", message="often", model="n")
    causes = invalid_causes(make_summary(outcomes))
    assert [(cause.message, cause.count) for cause in causes] == [("often", 2), ("rare", 1)]
