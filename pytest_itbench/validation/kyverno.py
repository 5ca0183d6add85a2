"""Kyverno policies, judged by Kyverno's own command line: a program of the user's, or one in a container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pytest_itbench.errors import ValidatorBroken
from pytest_itbench.validation.yaml_text import read_yaml

VARIABLE = "PYTEST_ITBENCH_KYVERNO"
"""Names the program; or says `pull`, so that the container's image is fetched when the engine does not have it."""
PULL = "pull"
PATIENCE = 60.0
TIMED_OUT = 124
"""Exit status of what did not end in time, as timeout(1) has it."""
LARGEST_POLICY = 256 * 1024
LARGEST_REPORT = 2 * 1024**2
COMMAND = ("apply", "policy.yaml", "--resource", "resources.yaml", "--policy-report", "--remove-color")

LIMITER = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
resource.setrlimit(resource.RLIMIT_FSIZE, (1048576, 1048576))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Bounds a program's time and output; its memory is bounded by its own means (GOMEMLIMIT)."""

TOP_LEVEL = re.compile(r"^(kind|metadata|results|summary|scope|scopeSelector|source|configuration):")
REFUSED = re.compile(r"^(Policies Skipped|Invalid Policies|Error: )", re.MULTILINE)
VIOLATIONS = "exit as there are policy "


@dataclass(frozen=True, slots=True, kw_only=True)
class Kyverno:
    """How the CLI can be had.

    Attributes:
        program: its path; empty for a container.
        missing: why it cannot be had, and what to do; empty when it can.
    """

    program: str = ""
    missing: str = ""


@cache
def find_kyverno() -> Kyverno:
    """Look for the CLI: the program that is named, one on PATH, the image in the engine. Pulls only if told to."""
    named = os.environ.get(VARIABLE, "")
    if named and named != PULL:
        program = shutil.which(named)
        problem = f"{VARIABLE} names {named!r}, which is no program that can be run"
        return Kyverno(program=program) if program else Kyverno(missing=problem)
    if program := shutil.which("kyverno"):
        return Kyverno(program=program)
    from pytest_itbench.environments.docker import kyverno as container  # noqa: PLC0415  # takes a quarter of a second

    problem = container.find_missing_image()
    if problem and named == PULL:
        problem = container.pull_image()
    if not problem:
        return Kyverno()
    advice = f"install the kyverno program, or set {VARIABLE} to its path, or to {PULL!r} to have its image fetched"
    return Kyverno(missing=f"there is no kyverno on PATH, and {problem}: {advice}")


def explain_missing_kyverno() -> str:
    """Why scenarios that need Kyverno are skipped; empty when they can be run."""
    return find_kyverno().missing


def judge_by_kyverno(policy: str, resources: Sequence[str]) -> dict[str, set[str]]:
    """What the rules of a policy say of each resource (``Kind/name``): pass, fail, warn, skip, error; nothing at all.

    Raises:
        AssertionError: Kyverno does not take the policy.
        ValidatorBroken: Kyverno cannot be had.
    """
    assert len(policy) <= LARGEST_POLICY, f"policy.yaml has {len(policy)} bytes: at most {LARGEST_POLICY} are read"
    found: dict[str, set[str]] = {name: set() for text in resources for name in _name_resources(text)}
    for report in read_reports(_run(policy, resources)):
        for result in report.get("results") or ():
            for resource in result.get("resources") or result.get("subjects") or ():
                found.setdefault(f"{resource['kind']}/{resource['name']}", set()).add(str(result["result"]))
    return found


def find_verdict(results: set[str]) -> str:
    """What a resource is, by what all rules say of it: error, else fail, else pass; skip when none is about it."""
    order = {"error": "error", "fail": "fail", "warn": "fail", "pass": "pass"}
    return next((verdict for result, verdict in order.items() if result in results), "skip")


def read_reports(output: str) -> list[Mapping[str, Any]]:
    """The policy reports in what ``kyverno apply --policy-report`` printed; whatever stands around them is left out.

    Raises:
        AssertionError: they cannot be read. They hold what the policy's author chose, so that they are not trusted.
    """
    found = list(_find_documents(output.splitlines()))
    reports = read_yaml("\n---\n".join(found), "Kyverno's report", largest=LARGEST_REPORT) if found else []
    return [report for report in reports if isinstance(report, dict) and str(report.get("kind", "")).endswith("Report")]


def _find_documents(lines: Sequence[str]) -> Iterator[str]:
    kept: list[str] = []
    for line in lines:
        if line.startswith("apiVersion:"):
            if kept:
                yield "\n".join(kept)
            kept = [line]
        elif kept and (not line or (line[0] in " -" and not line.startswith("--")) or TOP_LEVEL.match(line)):
            kept.append(line)
        elif kept:
            yield "\n".join(kept)
            kept = []
    if kept:
        yield "\n".join(kept)


def _name_resources(text: str) -> list[str]:
    return [f"{document['kind']}/{document['metadata']['name']}" for document in yaml.safe_load_all(text) if document]


def _run(policy: str, resources: Sequence[str]) -> str:
    kyverno = find_kyverno()
    if kyverno.missing:
        raise ValidatorBroken("Kyverno policies cannot be judged", hint=kyverno.missing)
    files = {"policy.yaml": policy, "resources.yaml": "\n---\n".join(text.strip() for text in resources) + "\n"}
    status, output = _run_program(kyverno.program, files) if kyverno.program else _run_container(files)
    assert status != TIMED_OUT, f"Kyverno did not come to a result within {PATIENCE:g} seconds"
    refused = REFUSED.search(output)
    if status != 0 and refused and VIOLATIONS not in output[refused.start() :].splitlines()[0]:
        raise AssertionError(f"Kyverno does not take policy.yaml: {_shorten(output[refused.start() :])}")
    if status != 0 and not read_reports(output):
        raise AssertionError(f"Kyverno ended with status {status} and no report: {_shorten(output)}")
    return output


def _run_program(program: str, files: Mapping[str, str]) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as output:
        for name, text in files.items():
            Path(directory, name).write_text(text, encoding="utf-8")
        environment = {"PATH": os.defpath, "HOME": directory, "GOMEMLIMIT": "1GiB"}
        command = [sys.executable, "-I", "-c", LIMITER, program, *COMMAND]
        try:
            status = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env=environment,
                timeout=PATIENCE,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            status = TIMED_OUT
        output.seek(0)
        return status, output.read().decode(errors="replace")


def _run_container(files: Mapping[str, str]) -> tuple[int, str]:
    from pytest_itbench.environments.docker import kyverno as container  # noqa: PLC0415  # as above

    return container.run_kyverno(COMMAND, files, PATIENCE)


def _shorten(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines() if line.strip("- "))[:300] or "it said nothing"
