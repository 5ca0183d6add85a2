"""YAML that a model wrote: what is read, what is refused and at which line, and what it may cost."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_itbench import read_yaml
from pytest_itbench.domain.scenario import CandidateKind
from pytest_itbench.environments.docker.ansible import read_events
from pytest_itbench.errors import ValidatorBroken
from pytest_itbench.validation import limited, limited_process, yaml_process, yaml_text
from pytest_itbench.validation.handed import HandedIn
from pytest_itbench.validation.kyverno import read_reports

MANIFESTS = """---
# Two objects, as people write them.
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, labels: {app: cart, "version": '1.0'}}
spec:
  replicas: 2
  paused: no
  template:
    spec:
      containers:
        - name: cart
          image: registry.example/cart:v1
          args: ["--flag", -1, 0x10, 0644, 1.5, ~, on, "on"]
          command:
          - sh
          - -c
          - |
            echo "*a"
            exit 0
---
---
kind: ConfigMap
data:
  1: one
  note: >-
    folded
    text
"""
READ = [
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cart", "labels": {"app": "cart", "version": "1.0"}},
        "spec": {
            "replicas": 2,
            "paused": False,
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "cart",
                            "image": "registry.example/cart:v1",
                            "args": ["--flag", -1, 16, 420, 1.5, None, True, "on"],
                            "command": ["sh", "-c", 'echo "*a"\nexit 0\n'],
                        }
                    ]
                }
            },
        },
    },
    {"kind": "ConfigMap", "data": {"1": "one", "note": "folded text"}},
]
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 8)}]}}\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
ALIASES = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 8)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
DEEP = {"lists": "[" * 200_000, "mappings": "{a: " * 60_000, "dashes": "- " * 100_000}

LOADERS = [yaml.SafeLoader, *filter(None, [getattr(yaml, "CSafeLoader", None)])]


def read(text: str, loader: Any = LOADERS[-1]) -> Any:
    """What the process would do, without one."""
    return yaml_process.work(loader, {"text": text})


def test_ordinary_manifests_are_read() -> None:
    """As PyYAML reads them, but that keys are texts and empty documents are none."""
    assert read_yaml(MANIFESTS) == READ
    assert HandedIn(CandidateKind.MANIFESTS, MANIFESTS).documents == READ


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("", []),
        ("# nothing\n", []),
        ("---\n---\nnull\n---\n~\n", []),
        ("{}", [{}]),
        ("&a x", ["x"]),
        ("[2024-05-06, 2024-05-06 07:08:09, .inf, -.INF, .NaN, 22:22, 1:30.5, =, <<]", None),
        ("[!!binary aGk=, !!timestamp 2024-05-06, !!str 7, 0x_]", [["aGk=", "2024-05-06", "7", "0x_"]]),
        ("[!!int '7', !!float 7, !!bool 'yes', !!null '', !!seq [], !!map {}]", [[7, 7.0, True, None, [], {}]]),
        ("{on: 1, ~: 2, 3: 4, 2024-05-06: 5, '<<': 6, '': 7}", None),
        ("%YAML 1.1\n---\na\n...\n---\nb\n", ["a", "b"]),
        ('{"a": "\\u00fc\\0", ü: ☃😀}', [{"a": "ü\0", "ü": "☃😀"}]),
    ],
)
def test_values_that_json_has_not_stay_as_they_are_written(text: str, documents: Any, loader: Any) -> None:
    """So do keys; an anchor that nothing refers to does no harm."""
    found = read(text, loader)
    if documents is not None:
        assert found == {"documents": documents}
    elif text[0] == "[":
        assert found == {"documents": [text.strip("[]").split(", ")]}
    else:
        assert found == {"documents": [{"on": 1, "~": 2, "3": 4, "2024-05-06": 5, "<<": 6, "": 7}]}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES.filter(lambda value: value is not None))
def test_what_is_written_as_json_is_read_as_such(value: Any) -> None:
    """JSON is YAML, but for characters beyond 16 bits and numbers without a point."""
    text = yaml.safe_dump(value, allow_unicode=False)
    if "&id" not in text and "\\uD" not in text.upper():
        assert read(text) == {"documents": [value]}


@given(st.text(alphabet=st.sampled_from("ab01:-?[]{}&*!%|>'\"#, \n\t<=.~@`\\x\x07\x85\ufeff")))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    """By both parsers, in a line."""
    for loader in LOADERS:
        found = read(text, loader)
        assert "documents" in found or "\n" not in found["refused"]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\nb: 2\nc: *x\n", "line 3: aliases ('*x') are not read"),
        ("a: &x 1\n*x : 2\n", "line 2: aliases ('*x') are not read"),
        ("a: 1\n---\n- &x [*x]\n", "line 3: aliases ('*x') are not read"),
        ("a: 1\nb:\n  <<: {c: 1}\n", "line 3: merge keys (<<) are not read"),
        ("a: 1\nb: 2\na: 3\n", "line 3: key 'a' stands twice in one mapping"),
        ("1: 1\n'1': 3\n", "line 2: key '1' stands twice in one mapping"),
        ("a: 1\n? [b]\n: 1\n", "line 2: a list or a mapping is used as a key"),
        ("? " * 100_000, "line 1: a list or a mapping is used as a key"),
        ("a: 1\nb: !vault x\n", "line 2: the tag '!vault' is not read here"),
        ("\n!!python/object/apply:os.system ['true']\n", "line 2: the tag 'tag:yaml.org,2002:python/object/apply:os."),
        ("a: !!set {b}\n", "line 1: the tag 'tag:yaml.org,2002:set' is not read here"),
        ("a: !!int x\n", "line 1: 'x' is no int"),
        ("a: !!bool x\n", "line 1: 'x' is no bool"),
        (f"a: 1\nb: {'9' * 5000}\n", "line 2: a number of 5000 characters"),
        (f"a: 1\nb: 0x{'f' * 5000}\n", "line 2: a number of 5002 characters"),
        ("a: 1\nb: [\n", "line 3: while parsing a flow node: "),
        ("a: 1\n b: 2\n", "line 2: "),
        ("a: 1\n\tb: 2\n", "line 2: "),
        ("a: *\n", "line 1: while scanning an alias: "),
        ("a: 1\nb: \x07\n", "line 2: the character U+0007 may not stand in YAML"),
        ("a: 1\nb: \ud800\n", "line 2: the character U+D800 may not stand in YAML"),
        (f"a: 1\n{'x' * 5000}: *{'y' * 5000}\n", "line 2: "),
        *((text, "line 1: lists and mappings are nested more than 100 deep") for text in DEEP.values()),
    ],
)
def test_what_is_refused_is_told_with_its_line(text: str, said: str, loader: Any) -> None:
    """In a line of bounded length, whichever parser there is."""
    refused = read(text, loader)["refused"]
    assert refused.startswith(said)
    assert len(refused) < 400
    assert "\n" not in refused


@pytest.mark.parametrize("text", [MERGES, ALIASES, *DEEP.values()], ids=["merges", "aliases", *DEEP])
def test_bombs_end_fast(text: str) -> None:
    """As the candidate's failure, and before anything is built."""
    started = time.monotonic()
    with pytest.raises(AssertionError, match=r"^manifests.yaml cannot be read: line \d+: "):
        _ = HandedIn(CandidateKind.MANIFESTS, text).documents
    assert time.monotonic() - started < 10


def test_too_much_is_refused() -> None:
    """By the bytes of the text, before a process is started; and by what the values take."""
    assert read_yaml(f"- {'x' * 200_000}\n") == [["x" * 200_000]]
    with pytest.raises(AssertionError, match="the YAML has 262146 bytes: at most 262144 are read"):
        read_yaml("#" + "ü" * 131072 + "\n")
    with pytest.raises(AssertionError, match="the YAML holds more than can be told in 2097152 bytes"):
        read_yaml('"' + "\\0" * 400_000 + '"', largest=10**7)
    widest = "".join(f"{{{','.join(chr(n) for n in range(97, 123))}}}," for _ in range(4600))
    assert len(read_yaml(f"[{widest}]")[0]) == 4600


@pytest.mark.parametrize("use", ["documents", "parts"])
@pytest.mark.parametrize("kind", CandidateKind)
def test_nothing_was_handed_in_yet(kind: CandidateKind, use: str) -> None:
    """The check fails, of whatever kind the candidate will be."""
    with pytest.raises(AssertionError, match="nothing was handed in yet"):
        getattr(HandedIn(kind, None), use)


def test_only_some_candidates_have_yaml() -> None:
    """To ask another kind for it is the scenario's mistake."""
    assert HandedIn(CandidateKind.POLICY, "kind: ClusterPolicy\n").documents == [{"kind": "ClusterPolicy"}]
    assert HandedIn(CandidateKind.PLAYBOOK, "- hosts: all\n").documents == [[{"hosts": "all"}]]
    with pytest.raises(ValidatorBroken, match="asks for YAML, which a candidate of kind answer has not"):
        _ = HandedIn(CandidateKind.ANSWER, "{}").documents


def test_trouble_of_ours_is_not_the_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that gets no processor, that cannot be started, or that fails."""
    with monkeypatch.context() as patch:
        patch.setattr(yaml_text, "PATIENCE", 0.0)
        with pytest.raises(ValidatorBroken, match="no result within 0 seconds"):
            read_yaml("a: 1")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(ValidatorBroken, match="the process for x cannot be run: "):
            read_yaml("a: 1", "x")
    with pytest.raises(ValidatorBroken, match=r"the process for x ended with status 1: .*no-such-job.py"):
        limited.run_limited("no-such-job.py", "", {}, about="x", patience=20.0)


JOB = """
import os, socket, time
kept = []
def prepare(): return dict(os.environ)
def work(ready, asked):
    {body}
    return [ready, asked]
"""


@pytest.fixture
def narrower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Run a job of the test's own, with two seconds of a processor and 64 MiB."""
    process, text = tmp_path / "limited_process.py", Path(limited_process.__file__).read_text()
    process.write_text(text.replace("CPU = 10", "CPU = 2").replace("MEMORY = 1024**3", "MEMORY = 2**26"))
    monkeypatch.setattr(limited, "PROCESS", process)
    monkeypatch.setattr(limited, "CPU", 2)

    def run(body: str, asked: object = None) -> Any:
        (tmp_path / "job.py").write_text(JOB.format(body=body))
        return limited.run_limited("job.py", "", asked, about="x", patience=30.0)

    return run


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("while True: pass", "x used more than 2 seconds of a processor"),
        ("while True: kept.append(os.urandom(2**20))", "x wants more than 1 GiB of memory"),
        ("raise MemoryError", "x wants more than 1 GiB of memory"),
        ("return 'x' * 4 * 1024**2", "x holds more than can be told"),
        ("os.abort()", "x made the interpreter crash"),
    ],
)
def test_limits_of_a_job(narrower: Callable[[str], Any], body: str, said: str) -> None:
    """Whoever wants more has failed."""
    with pytest.raises(AssertionError, match=said):
        narrower(body)


@pytest.mark.parametrize("body", ["open('/dev/null')", "socket.socket()", "os.pipe()"])
def test_a_job_opens_nothing(narrower: Callable[[str], Any], body: str) -> None:
    """Neither files nor sockets; a job that fails is our trouble."""
    with pytest.raises(ValidatorBroken, match=r"the process for x ended with status 1: .*Too many open files"):
        narrower(body)


def test_a_job_gets_nothing_but_its_text(narrower: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables of ours; and what is printed is no result."""
    monkeypatch.setenv("SOME_API_KEY", "hush")
    environment, asked = narrower("print('[7]')", {"a": "\ud800"})
    assert asked == {"a": "\ud800"}
    assert environment.keys() <= {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}


@pytest.mark.skipif(sys.platform != "linux", reason="not on this machine: only Linux counts like this")
def test_memory_of_ours_is_not_the_jobs(narrower: Callable[[str], Any]) -> None:
    """On Linux a process begins with the peak of the one that started it."""
    ours = b"x" * 2**27
    assert narrower("time.sleep(0.2)")
    assert ours


def test_a_report_of_kyvernos_is_not_trusted() -> None:
    """It says again what stands in the policy."""
    with pytest.raises(AssertionError, match="Kyverno's report cannot be read: line 3: aliases"):
        read_reports("apiVersion: v1\nkind: &a PolicyReport\nmetadata: *a\n")


@pytest.mark.parametrize("text", ["[" * 200_000, "9" * 5000, json.dumps("x" * 256 * 1024)])
def test_answers_are_bounded(text: str) -> None:
    """JSON does not grow, but it may be deep or long."""
    with pytest.raises(AssertionError, match=r"the answer is no valid JSON|at most 262144 are read"):
        _ = HandedIn(CandidateKind.ANSWER, text).answer


def test_events_that_the_candidate_forged_are_dropped() -> None:
    """They do not end the run that reads them."""
    assert read_events(f"mark{'[' * 200_000}\nmarkend\n", "mark").events == ()
