"""The pages name everything that a user can meet, and nothing that is not there."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from pytest_itbench import cli, errors, hookspecs
from pytest_itbench.domain.outcome import FailureKind, Stage, Verdict
from pytest_itbench.domain.scenario import Difficulty, Domain
from pytest_itbench.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "docs").is_dir():
    pytest.skip("the pages are not part of the wheel", allow_module_level=True)

PAGES = sorted((ROOT / "docs").rglob("*.md"))
TOP = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
TEXTS = {path: path.read_text("utf-8") for path in (*PAGES, *TOP)}
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|mnt|srv|Users|home/(?!ops\b)\w+|tmp/\w+)\b")
PUBLIC = (
    "arxiv.org",
    "testinfra.readthedocs.io",
    "docs.pytest.org",
    "semver.org",
    "docs.docker.com",
    "github.com",
    "localhost:8000",
)


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """scripts/generate-docs as a module."""
    loader = SourceFileLoader("generate_docs", str(ROOT / "scripts" / "generate-docs"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


def read_page(name: str) -> str:
    return TEXTS[ROOT / "docs" / name]


def anchors(text: str) -> set[str]:
    """The ids of a page's headings, as MkDocs and GitHub make them."""
    headings = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_generated_parts_are_up_to_date(generator: ModuleType) -> None:
    """Whoever changes an option, a hook, a kind or the file format runs scripts/generate-docs."""
    assert [str(path.relative_to(ROOT)) for path, _ in generator.find_stale(ROOT / "docs")] == []


def test_every_part_stands_on_a_page(generator: ModuleType) -> None:
    """Nothing is generated for no page, and no page asks for a part that does not exist."""
    asked = re.findall(r"<!-- generated: ([\w-]+) -->", "\n".join(TEXTS.values()))
    assert sorted(asked) == sorted(generator.PARTS)


def test_options_are_documented() -> None:
    """Flag, ini key and environment variable of every option."""
    text = read_page("reference/options.md")
    names = [name for option in OPTIONS for name in (option.flag, f"`{option.name}`", f"`{option.variable}`")]
    assert [name for name in names if name not in text] == []


def test_hooks_are_documented() -> None:
    """Every hook."""
    hooks = [name for name in vars(hookspecs) if name.startswith("pytest_itbench_")]
    assert hooks
    assert [name for name in hooks if f"## {name}" not in read_page("reference/hooks.md")] == []


def test_fixtures_are_documented() -> None:
    """Every fixture."""
    source = (ROOT / "pytest_itbench" / "fixtures.py").read_text("utf-8")
    names = re.findall(r"^def (itbench_\w+)", source, re.MULTILINE)
    assert len(names) == source.count("@pytest.fixture")
    assert [name for name in names if f"`{name}`" not in read_page("reference/fixtures.md")] == []


@pytest.mark.parametrize("closed", [FailureKind, Verdict, Stage])
def test_words_of_an_outcome_are_documented(closed: type[FailureKind | Verdict | Stage]) -> None:
    """Every failure kind, verdict and stage."""
    assert [str(word) for word in closed if f"| `{word}` |" not in read_page("results.md")] == []


def test_invalid_kinds_have_advice() -> None:
    """The page on trouble says what to do about each kind of invalid attempt."""
    every = list(FailureKind)
    invalid = every[every.index(FailureKind.ENGINE) :]
    assert [str(kind) for kind in invalid if f"**{kind}**" not in read_page("troubleshooting.md")] == []


@pytest.mark.parametrize("closed", [Domain, Difficulty])
def test_words_of_a_scenario_are_documented(closed: type[Domain | Difficulty]) -> None:
    """Every domain and difficulty."""
    assert [str(word) for word in closed if f"`{word}`" not in read_page("reference/scenario-file.md")] == []
    if closed is Difficulty:
        assert [str(word) for word in closed if f"| `{word}` |" not in read_page("writing-scenarios.md")] == []


def test_commands_are_documented() -> None:
    """Every subcommand."""
    names = re.findall(r"^    (\w+) ", cli.build_parser().format_help(), re.MULTILINE)
    assert "check" in names
    assert [name for name in names if f"## {name}" not in read_page("reference/commands.md")] == []


def test_errors_are_documented() -> None:
    """Every exception class."""
    classes = [name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, Exception)]
    assert [name for name in classes if name not in read_page("reference/errors.md")] == []


def test_entry_points_are_documented() -> None:
    """Every group and every name; models also on their own page."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    names = [f"`{name}`" for group, entries in groups.items() if group != "pytest11" for name in (group, *entries)]
    assert [name for name in names if name not in read_page("extending.md")] == []
    models = groups["pytest_itbench.models"]
    assert [name for name in models if f"| `{name}" not in read_page("models.md")] == []


def test_pages_are_in_the_navigation() -> None:
    """Every page can be found."""
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert [path.name for path in PAGES if f": {path.relative_to(ROOT / 'docs')}" not in navigation] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(path: Path) -> None:
    """Files and headings that links name are there; addresses elsewhere are of known public places."""
    text = re.sub(r"```.*?```", "", TEXTS[path], flags=re.DOTALL)
    broken = []
    for target in (link["target"] for link in LINK.finditer(text)):
        if target.startswith(("http://", "https://")):
            if target.split("/")[2] not in PUBLIC:
                broken.append(target)
            continue
        file, _, anchor = target.partition("#")
        other = (path.parent / file).resolve() if file else path
        if not other.exists() or (anchor and anchor not in anchors(TEXTS.get(other, ""))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_names_a_machine(path: Path) -> None:
    """Paths of somebody's machine and addresses of mirrors have no place on a page."""
    assert MACHINE_PATH.findall(TEXTS[path]) == []
    hosts = re.findall(r"https?://([^/:\s)\"'`]+)", TEXTS[path])
    assert [host for host in hosts if host not in (*PUBLIC, "localhost")] == []
