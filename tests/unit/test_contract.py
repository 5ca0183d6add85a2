"""What users of the package rely on: light import, public names, the exit of a user's mistakes, good scenarios."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from importlib.metadata import metadata

import pytest

import pytest_itbench
from pytest_itbench import errors
from pytest_itbench.diagnosis import EXTRAS
from pytest_itbench.options import OPTIONS

HEAVY = ("docker", "kubernetes", "pydantic", "pydantic_ai", "openai", "jinja2", "yaml", "rich", "cattrs", "testinfra")


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    """Where nobody uses the plugin, nobody pays for its libraries."""
    code = f"import pytest_itbench.plugin, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_pinned() -> None:
    """What can be imported from the package is a promise; taking from it is a breaking change."""
    assert pytest_itbench.__all__ == [
        "AttemptInvalid",
        "Candidate",
        "CheckResult",
        "FailureKind",
        "ModelChoice",
        "OptionMistake",
        "Outcome",
        "Prompt",
        "Proposal",
        "ProviderTrouble",
        "Reply",
        "Request",
        "Scenario",
        "Stage",
        "Usage",
        "Verdict",
        "read_yaml",
    ]
    assert {getattr(pytest_itbench, name).__name__ for name in pytest_itbench.__all__} == set(pytest_itbench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = pytest_itbench.Nonsense


def test_the_error_tree_is_drawn() -> None:
    """Every exception stands in the tree of the module's docstring, one step right of its base."""
    lines = (errors.__doc__ or "").splitlines()
    depth = {word: line.index(word) for line in lines for word in line.replace("─", " ").split() if word[:1].isupper()}
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, errors.ItbenchError) and error is not errors.ItbenchError:
            (base,) = (b for b in error.__bases__ if b.__name__ in depth)
            assert depth[name] == depth[base.__name__] + 4, name


def test_options_have_names_of_one_kind() -> None:
    """Flag, ini key and environment variable follow from one name, and no name stands twice."""
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)
    for option in OPTIONS:
        assert option.flag == "--" + option.name.replace("_", "-")
        assert option.variable == f"PYTEST_{option.name.upper()}"
        assert option.default is None or option.many or option.read(option.default) is not None


def test_every_module_says_what_it_is() -> None:
    """Each module and each public class and function of it has a docstring."""
    silent = []
    for info in pkgutil.walk_packages(pytest_itbench.__path__, "pytest_itbench."):
        if ".template" in info.name or ".images" in info.name:
            continue
        module = importlib.import_module(info.name)
        things = [(info.name, module)] + [
            (f"{info.name}.{name}", thing)
            for name, thing in vars(module).items()
            if not name.startswith("_") and getattr(thing, "__module__", "") == info.name and callable(thing)
        ]
        silent += [name for name, thing in things if not (thing.__doc__ or "").strip()]
    assert silent == []


def test_doctor_knows_every_extra() -> None:
    """What can be installed is looked for."""
    provided = set(metadata("pytest-itbench").get_all("Provides-Extra") or ())
    assert set(EXTRAS) == provided
