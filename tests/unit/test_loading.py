"""From files to a scenario, or to one clear line for each mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from pytest_itbench.domain.scenario import HostLimits
from pytest_itbench.errors import BrokenScenario
from pytest_itbench.loading.prompt_file import render_block
from pytest_itbench.loading.scenario import find_duplicates, find_scenario_files, load_scenario
from pytest_itbench.loading.scenario_file import build_schema

Make = Callable[..., Path]


def complain(directory: Path) -> str:
    """What is said about a scenario, without the directory's name."""
    with pytest.raises(BrokenScenario) as caught:
        load_scenario(directory / "scenario.yaml")
    return str(caught.value).replace(f"{directory}/", "")


def test_a_scenario_is_read_whole(make_scenario: Make) -> None:
    """Every declared thing arrives in the domain value, defaults included."""
    directory = make_scenario(
        extra="""
        tags: [nginx, tls]
        idempotent: true
        setup: [{script: validate.py}]
        trigger: [{playbook: solution/playbook.yml}]
        probes: [{host: web, command: "true"}]
        limits: {candidate: 60}
        """
    )
    scenario = load_scenario(directory / "scenario.yaml")
    assert (scenario.id, scenario.domain, scenario.difficulty) == ("one", "templating", "easy")
    assert scenario.tags == ("nginx", "tls")
    assert scenario.hosts[0].limits == HostLimits()
    assert scenario.setup[0].hosts == ("web",)
    assert scenario.trigger[0].kind == "playbook"
    assert (scenario.limits.candidate, scenario.limits.check) == (60.0, 30.0)
    assert scenario.validators[0].path == directory / "validate.py"
    assert scenario.counterexamples[0].caught_by == "candidate_is_right"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("tag: [x]", "scenario.yaml:8: unknown key 'tag'; did you mean 'tags'?"),
        ("colour: red", "scenario.yaml:8: unknown key 'colour'; known keys: id, title"),
        ("idempotent: maybe", "scenario.yaml:8: idempotent: Input should be a valid boolean"),
        ("limits: {candidate: -1}", "scenario.yaml:8: limits.candidate: Input should be greater than 0 (seen: -1)"),
        ("tags:\n  - Upper", "scenario.yaml:9: tags.0: "),
        ("setup:\n  - {script: gone.sh}", "scenario.yaml:9: file 'gone.sh' does not exist"),
        ("setup:\n  - {script: ../../etc/passwd}", "scenario.yaml:9: '../../etc/passwd' lies outside"),
        ("setup:\n  - {script: validate.py, hosts: [db]}", "scenario.yaml:9: unknown host 'db'; hosts: web"),
        ("setup:\n  - {}", "scenario.yaml:9: setup.0: give either playbook or script"),
        ("probes:\n  - {host: db, command: x}", "scenario.yaml:9: unknown host 'db'"),
        ("validators: [prompt.md.j2]", "scenario.yaml:8: validator 'prompt.md.j2' is neither a .py nor a .sh file"),
        ("title: again", "scenario.yaml:8: is not valid YAML: key 'title' stands twice"),
        ("id: Not An Id", "scenario.yaml:8: id: String should match pattern"),
        ("a: [", "is not valid YAML: "),
        ("schema: 2", "scenario.yaml:8: schema: "),
    ],
)
def test_a_mistake_names_its_line(make_scenario: Make, extra: str, said: str) -> None:
    """Each mistake is one line with file, line number, what was seen and what is known."""
    text = complain(make_scenario(extra=extra))
    assert said in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("{limits: {memory: lots}}", "hosts.web.limits.memory: 'lots' is not a size such as 256m or 1g"),
        ("{limits: {memroy: 1g}}", "unknown key 'hosts.web.limits.memroy'; did you mean 'memory'?"),
        ("{image: a, dockerfile: b}", "hosts.web: give either image or dockerfile, not both"),
        ("{packages: ['a; rm -rf /']}", "hosts.web.packages.0: "),
        ("{files: [{src: gone, dest: /x}]}", "file 'gone' does not exist"),
        ("{files: [{src: validate.py, dest: x}]}", "hosts.web.files.0.dest: "),
        ("{files: [{src: validate.py, dest: /x, mode: rw}]}", "'rw' is not a file mode such as '0644'"),
        ("{dockerfile: Dockerfile}", "file 'Dockerfile' does not exist"),
    ],
)
def test_a_host_is_checked(make_scenario: Make, host: str, said: str) -> None:
    """Mistakes within a host name the host's key and its line."""
    directory = make_scenario()
    file = directory / "scenario.yaml"
    file.write_text(file.read_text().replace("web: {}", f"web: {host}"))
    assert complain(directory).startswith("scenario.yaml:5: ")
    assert said in complain(directory)


def test_all_mistakes_are_told_at_once(make_scenario: Make) -> None:
    """Nobody has to run again to see the second mistake."""
    directory = make_scenario(extra="setup: [{script: a.sh}, {script: b.sh}]")
    (directory / "solution" / "playbook.yml").unlink()
    assert complain(directory).count("does not exist") == 3


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("{% block level_1 %}x{% endblock %}", "prompt.md.j2: block level_2, level_3 is missing"),
        ("\n{% block level_1 %}", "prompt.md.j2:2: is not a valid template"),
    ],
)
def test_a_prompt_is_checked(make_scenario: Make, prompt: str, said: str) -> None:
    """A prompt without its three levels is found before anything runs."""
    directory = make_scenario()
    (directory / "prompt.md.j2").write_text(prompt)
    assert said in complain(directory)


def test_missing_files_are_told(make_scenario: Make) -> None:
    """A scenario without a validator says what to write."""
    directory = make_scenario()
    (directory / "validate.py").unlink()
    assert "no validator: write validate.py or validate.sh" in complain(directory)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """Neither a missing file nor one that is not text gives a traceback."""
    (tmp_path / "scenario.yaml").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in complain(tmp_path)
    assert "cannot be read" in complain(tmp_path / "gone")


def test_a_list_is_not_a_scenario(tmp_path: Path) -> None:
    """The file must hold a mapping."""
    (tmp_path / "scenario.yaml").write_text("- a\n")
    assert complain(tmp_path) == "scenario.yaml:1: a mapping is expected here, not list"


def test_duplicate_ids_are_told(make_scenario: Make) -> None:
    """Two scenarios of one id are refused, naming both files."""
    paths = [make_scenario(name) / "scenario.yaml" for name in ("a", "b")]
    paths[1].write_text(paths[1].read_text() + "id: a\n")
    (mistake,) = find_duplicates([load_scenario(path) for path in paths])
    assert (mistake.path, mistake.line) == (paths[1], 9)
    assert f"already taken by {paths[0]}" in str(mistake)


def test_scenarios_are_found_sorted(make_scenario: Make, tmp_path: Path) -> None:
    """What lies below a scenario belongs to it; skipped directories are not entered."""
    for name in ("b", "a", "a/inner", "skipped/c"):
        make_scenario(name)
    found = [path.parent.name for path in find_scenario_files(tmp_path, ["skipped"])]
    assert found == ["a", "b"]


def test_the_schema_accepts_what_loads(make_scenario: Make) -> None:
    """The JSON Schema for editors agrees with the loader, in both directions."""
    content = yaml.safe_load((make_scenario(extra="validators: [validate.py]") / "scenario.yaml").read_text())
    jsonschema.validate(content, build_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "colour": "red"}, build_schema())


def test_a_level_is_rendered_alone(make_scenario: Make) -> None:
    """Only the block of the level that was asked for is in the prompt."""
    prompt = make_scenario() / "prompt.md.j2"
    assert render_block(prompt, 2, {}) == "Level 2: make the candidate right."
