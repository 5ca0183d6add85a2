"""Hostile candidates: each gets the verdict that is its due, and harms nothing but its own attempt.

All of them are tried in one real run of pytest, with the reference solution in between; then each is a test of its own.
Most of those that must be solved fail by themselves when their attack comes to something.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import indent
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from filelock import FileLock

from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.environments.docker.leftovers import find_left
from pytest_itbench.errors import EngineTrouble

HERE = Path(__file__).parent
CASES: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
APPLIED_TWICE = "again-"
"""How the names of candidates begin that a second run must show to be idempotent."""
INNOCENT_EACH = 18
"""Attacks between two attempts of the reference solution."""
SIZE_LIMIT = 50 * 1024**2
RUN_LIMIT = 1500
"""Bytes that the reports may take, and seconds that the run may take on a slow machine."""
UNTOUCHED = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/sysrq",
    "/proc/sys/vm/overcommit_memory",
)
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]")
MARKUP = ("<script>alert", "<img src=x", "</title><script")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What is known after the run.

    Attributes:
        name: the run's.
        status: pytest's exit status.
        words: what took the place of words in candidates: secrets, the canary's path, the listener's port.
        heard: what came to a listener on this machine.
        before: what this machine was before the run.
    """

    name: str
    status: int
    place: str
    words: dict[str, str]
    heard: list[str]
    before: dict[str, str]

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return Path(self.place) / "reports" / self.name

    @property
    def output(self) -> str:
        """What pytest printed."""
        return (Path(self.place) / "output.txt").read_text(encoding="utf-8")

    @property
    def outcomes(self) -> dict[str, dict[str, Any]]:
        """Outcomes by the names of models."""
        lines = (self.directory / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()
        return {outcome["key"]["model"]: outcome for outcome in map(json.loads, lines)}

    def read_files(self) -> Iterator[tuple[Path, bytes]]:
        """All files of the run's reports."""
        for path in (Path(self.place) / "reports").rglob("*"):
            if path.is_file():
                yield path, path.read_bytes()


# --- candidates ------------------------------------------------------------------------------------------------------


def read_parts() -> dict[str, str]:
    """Tasks that candidates have in common; PROPER does what the scenario asks for."""
    return {path.stem.upper(): path.read_text(encoding="utf-8") for path in (HERE / "parts").glob("*.yml")}


def render(text: str, words: dict[str, str]) -> str:
    """A candidate with its parts and words."""
    for name, tasks in read_parts().items():
        text = text.replace(f"    # @{name}@\n", indent(tasks, "    "))
    for name, word in words.items():
        text = text.replace(f"@{name}@", word)
    return text


def pad(size: int) -> str:
    """The task, properly done in a playbook of a given size."""
    text = render("- hosts: web\n  become: true\n  gather_facts: false\n  tasks:\n    # @PROPER@\n", {})
    line = "# " + "x" * 997 + "\n"
    return text + line * ((size - len(text)) // len(line))


def end_fence() -> str:
    """A playbook that would end a usual fence around it, and goes on with another."""
    first = "- hosts: web\n  gather_facts: false\n  tasks: []\n"
    second = "- hosts: localhost\n  gather_facts: false\n  tasks: [{ansible.builtin.command: touch @CANARY@}]\n"
    return f"{first}```\n\n```yaml\n{second}"


MADE: dict[str, Callable[[], str]] = {
    "large": lambda: pad(250 * 1024),
    "too-large": lambda: pad(258 * 1024),
    "fence-ended": end_fence,
}


def find_candidate(name: str) -> str:
    """The text of a candidate, before its words are put in."""
    if name in MADE:
        return MADE[name]()
    return (HERE / "candidates" / f"{name}.yml").read_text(encoding="utf-8")


# --- the run ---------------------------------------------------------------------------------------------------------


@contextmanager
def listen() -> Iterator[tuple[int, list[str]]]:
    """Listen on every address of this machine; gives the port, and what is heard."""
    heard: list[str] = []
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        port = server.getsockname()[1]
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as box:
            box.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            box.bind(("::", port))
            server.settimeout(0.2)
            box.settimeout(0.2)
            over = threading.Event()
            threads = [
                threading.Thread(target=hear, args=(over, lambda: f"connection from {server.accept()[1]}", heard)),
                threading.Thread(target=hear, args=(over, lambda: f"datagram {box.recvfrom(2000)}", heard)),
            ]
            for thread in threads:
                thread.start()
            yield port, heard
            over.set()
            for thread in threads:
                thread.join()


def hear(over: threading.Event, receive: Callable[[], str], heard: list[str]) -> None:
    """Note what comes until it is over."""
    while not over.is_set():
        try:
            heard.append(receive())
        except TimeoutError:
            continue


def find_addresses() -> str:
    """This machine's addresses."""
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    return " ".join(address for address in found if ":" not in address) or "127.0.0.1"


def look_at_machine() -> dict[str, str]:
    """What no candidate may change."""
    return {path: Path(path).read_text(encoding="utf-8") for path in UNTOUCHED if Path(path).exists()}


def write_scenarios(place: Path) -> None:
    """The scenario as it is, and once more so that candidates are applied twice."""
    for name in ("once", "twice"):
        for source in (HERE / "scenario").rglob("*"):
            goal = place / name / source.relative_to(HERE / "scenario")
            if source.is_file():
                goal.parent.mkdir(parents=True, exist_ok=True)
                goal.write_bytes(source.read_bytes())
    with (place / "twice" / "scenario.yaml").open("a", encoding="utf-8") as file:
        file.write("idempotent: true\n")


def name_items(names: list[str]) -> Iterator[tuple[str, str]]:
    """Models and the items to run; the reference solution comes between the attacks."""
    for number, name in enumerate(names):
        if number % INNOCENT_EACH == 0:
            label = f"innocent-{number // INNOCENT_EACH}"
            yield f"{label}=oracle", f"once/scenario.yaml::{label}-attempt-0"
        directory = "twice" if name.startswith(APPLIED_TWICE) else "once"
        yield f"{name}=file:candidates/{name}.yml", f"{directory}/scenario.yaml::{name}-attempt-0"
    yield "again-innocent=oracle", "twice/scenario.yaml::again-innocent-attempt-0"
    yield "noop", "once/scenario.yaml::noop-attempt-0"


def start_run(place: Path) -> Ran:
    """Try all candidates."""
    token, name = secrets.token_hex(8), f"attacks-{secrets.token_hex(4)}"
    words = {
        "SECRET": f"plain-{token}",
        "ODD_SECRET": f'odd"\\-é-{token}',
        "CANARY": str(place / f"canary-{token}"),
        "ADDRESSES": find_addresses(),
    }
    write_scenarios(place)
    (place / "pytest.ini").write_text("[pytest]\n")
    before = look_at_machine()
    with listen() as (port, heard):
        words["PORT"] = str(port)
        (place / "candidates").mkdir()
        for case in CASES:
            (place / "candidates" / f"{case}.yml").write_text(render(find_candidate(case), words), encoding="utf-8")
        status = run_pytest(place, name, words)
    return Ran(name=name, status=status, place=str(place), words=words, heard=heard, before=before)


def run_pytest(place: Path, name: str, words: dict[str, str]) -> int:
    """The run itself, with two workers; gives its exit status."""
    items = list(name_items(list(CASES)))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "-v", "-n2", "--maxschedchunk=1"]
    command += [f"--itbench-run={name}", "--itbench-reports=reports", "--junitxml=reports/pytest.xml"]
    command += [f"--itbench-model={model}" for model, _ in items]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "GITHUB_"))}
    environment |= {"X_API_KEY": words["SECRET"], "Y_TOKEN": words["ODD_SECRET"]}
    with (place / "output.txt").open("wb") as output:
        done = subprocess.run(
            [*command, *(item for _, item in items)],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=RUN_LIMIT,
            check=False,
        )
    return done.returncode


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The run, which all workers of this session share."""
    engine = Engine()
    try:
        _ = engine.client
    except EngineTrouble as trouble:
        pytest.skip(f"no container engine: {trouble.message}")
    finally:
        engine.close()
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    place = shared / "attacks"
    with FileLock(f"{place}.lock"):
        note = place / "ran.json"
        if not note.exists():
            place.mkdir()
            note.write_text(json.dumps(asdict(start_run(place))), encoding="utf-8")
        return Ran(**json.loads(note.read_text(encoding="utf-8")))


# --- each candidate --------------------------------------------------------------------------------------------------


def describe(outcome: dict[str, Any]) -> str:
    """An outcome for people."""
    told = ascii(outcome["message"])[:1500]
    return f"{outcome['verdict']}, {outcome['kind']} at {outcome['stage']}: {told}"


@pytest.mark.parametrize("name", CASES)
def test_verdict(ran: Ran, name: str) -> None:
    """The candidate gets the verdict that is its due, for a reason that fits; never is it invalid."""
    case, outcome = CASES[name], ran.outcomes[name]
    assert outcome["verdict"] == case["verdict"], f"{case['why']}; but: {describe(outcome)}"
    if "kinds" in case:
        assert outcome["kind"] in case["kinds"], describe(outcome)
    assert not outcome["tries"], f"it was tried again: {outcome['tries']}"


def test_each_candidate_is_a_case() -> None:
    """None is forgotten, and each says what it attacks."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in (HERE / "candidates").glob("*.yml")}
    assert files.keys() | MADE.keys() == CASES.keys()
    assert not [name for name, text in files.items() if not re.match(r"# [A-Z].*\.\n- hosts: ", text)]


def test_the_innocent_are_left_alone(ran: Ran) -> None:
    """The reference solution is solved each time, beside whatever attack; doing nothing is missed."""
    found = {name: outcome["verdict"] for name, outcome in ran.outcomes.items() if name not in CASES}
    assert found.pop("noop") == "missed"
    assert len(found) > len(CASES) / INNOCENT_EACH
    assert set(found.values()) == {"solved"}, found


# --- this machine ----------------------------------------------------------------------------------------------------


def test_this_machine_is_as_before(ran: Ran) -> None:
    """No file was made here, and the kernel's settings are as they were."""
    assert not Path(ran.words["CANARY"]).exists()
    assert look_at_machine() == ran.before


def test_nobody_reached_this_machine(ran: Ran) -> None:
    """Neither a connection nor a datagram came from a candidate."""
    assert ran.heard == []


def test_nothing_is_left_on_the_engine(ran: Ran) -> None:
    """Containers and networks are gone, whatever happened in them."""
    engine = Engine()
    left = find_left(engine, f"{LABEL}.run={ran.name}")
    engine.close()
    assert left == []


# --- what is written down --------------------------------------------------------------------------------------------


def test_every_attempt_is_in_the_ledger(ran: Ran) -> None:
    """Each line is read, each planned attempt is there, and pytest says that some were missed."""
    assert len(ran.outcomes) == len(list(name_items(list(CASES))))
    assert ran.status == pytest.ExitCode.TESTS_FAILED, ran.output[-3000:]


def test_secrets_are_not_written_down(ran: Ran) -> None:
    """Neither as they are, nor as JSON or a page would write them."""
    forms = set()
    for secret in (ran.words["SECRET"], ran.words["ODD_SECRET"]):
        forms |= {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        forms |= {secret.replace('"', "&quot;"), secret.replace('"', "&#34;")}
    found = [
        f"{path.relative_to(ran.place)}: {form}"
        for path, content in ran.read_files()
        for form in forms
        if form.encode() in content
    ]
    assert not found, "\n".join(found)
    assert not [form for form in forms if form in ran.output]


def test_secrets_of_this_machine_are_not_written_down(ran: Ran) -> None:
    """What a candidate reads of /etc/shadow is not this machine's."""
    try:
        lines = Path("/etc/shadow").read_bytes().splitlines()
    except PermissionError:
        pytest.skip("not on this machine: its shadow file cannot be read")
    hashes = [line.split(b":")[1] for line in lines if line.split(b":")[1].startswith(b"$")]
    assert not [path for path, content in ran.read_files() if any(text in content for text in hashes)]


def test_the_terminal_is_not_controlled(ran: Ran) -> None:
    """What candidates say comes without escapes and without other characters that act on a terminal."""
    found = [ascii(line)[:300] for line in ran.output.split("\n") if CONTROLS.search(line)]
    assert not found, "\n".join(found[:20])


def test_pages_hold_no_markup_of_candidates(ran: Ran) -> None:
    """What candidates say is text on a page."""
    page = (ran.directory / "report.html").read_text(encoding="utf-8").lower()
    assert not [word for word in MARKUP if word in page]
    summary = (ran.directory / "summary.md").read_text(encoding="utf-8").lower()
    assert not [word for word in MARKUP if word in summary]


@pytest.mark.parametrize("name", ["junit.xml", "../pytest.xml"])
def test_reports_can_be_parsed(ran: Ran, name: str) -> None:
    """Whatever candidates say, XML stays XML."""
    tree = ET.parse(ran.directory / name)
    assert len(tree.findall(".//testcase")) == len(ran.outcomes)


def test_summary_can_be_parsed(ran: Ran) -> None:
    """Whatever candidates say, JSON stays JSON."""
    assert json.loads((ran.directory / "summary.json").read_text(encoding="utf-8"))


def test_reports_are_bounded(ran: Ran) -> None:
    """No candidate fills the disk by what is kept of it."""
    sizes = {str(path.relative_to(ran.place)): len(content) for path, content in ran.read_files()}
    largest = sorted(sizes.items(), key=lambda size: -size[1])[:8]
    assert sum(sizes.values()) < SIZE_LIMIT, largest
