"""The command ``pytest-itbench``: what is not a pytest run of models."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_itbench.canary import FILE as CANARY
from pytest_itbench.canary import find_unmarked, make_canary, mark, read_canary
from pytest_itbench.diagnosis import diagnose
from pytest_itbench.environments.base import ProviderOptions
from pytest_itbench.environments.kubernetes.absence import find_flaw
from pytest_itbench.environments.routing import Providers
from pytest_itbench.errors import AttemptInvalid, UserMistake
from pytest_itbench.loading.scenario import find_scenario_files, load_scenario
from pytest_itbench.loading.scenario_file import build_schema
from pytest_itbench.options import find_default
from pytest_itbench.owner import describe_owner
from pytest_itbench.pytest_process import run_pytest
from pytest_itbench.reporting.summary_json import load_schema
from pytest_itbench.run_commands import add_commands
from pytest_itbench.runner import find_cache
from pytest_itbench.scaffold import write_scenario
from pytest_itbench.scenario_paths import refuse_mistakes
from pytest_itbench.validation.needs import diagnose_tools

USAGE_ERROR = int(pytest.ExitCode.USAGE_ERROR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; gives the exit status: 0 well, 1 not, 4 a mistake in what was asked."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["check"] and not {"-h", "--help"} & set(given):
        return run_check(given[1:])
    parsed = _parse(given)
    command: Callable[[argparse.Namespace], int] = parsed.run
    try:
        return command(parsed)
    except (UserMistake, pytest.UsageError) as mistake:
        print(f"ERROR: {mistake}", file=sys.stderr)
        return USAGE_ERROR
    except AttemptInvalid as trouble:
        print(f"ERROR: {trouble.message}" + (f"\n{trouble.hint}" if trouble.hint else ""), file=sys.stderr)
        return 1


def _parse(given: list[str]) -> argparse.Namespace:
    """What was given; what `regrade` does not know goes to pytest."""
    if given[:1] != ["regrade"]:
        return build_parser().parse_args(given)
    parsed, more = build_parser().parse_known_args(given)
    parsed.paths += more
    return parsed


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="pytest-itbench",
        description="Prove, prepare and begin scenarios, and work on stored runs. Models are tried by pytest.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=version("pytest-itbench"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(
        commands,
        "check",
        lambda parsed: run_check(parsed.paths),
        "prove scenarios with real containers: noop misses, the solution passes, counterexamples are caught;"
        " further arguments go to pytest (-n auto, -k …, --itbench-repeat=5)",
    ).add_argument("paths", nargs="*", default=["."], metavar="PATH")
    doctor = _add(commands, "doctor", run_doctor, "say what this machine has and lacks; each line ok or what to do")
    new = _add(commands, "new", run_new, "write a scenario that passes check, to start from")
    new.add_argument("path", type=Path, metavar="PATH", help="a directory that is empty or does not exist")
    prepare = _add(commands, "prepare", run_prepare, "get or build the images that scenarios need, ahead of a run")
    prepare.add_argument("paths", nargs="*", type=Path, default=[Path()], metavar="PATH")
    reap = _add(commands, "reap", run_reap, "remove what runs that were killed left on the engines; a live run's stays")
    reap.add_argument("--kept", action="store_true", help="also what --itbench-keep left")
    for command in (doctor, prepare, reap):
        _add_places(command)
    canary = _add(
        commands,
        "canary",
        run_canary,
        "put a line of the library's own into every file that can hold a comment, by which its text is found again",
    )
    canary.add_argument(
        "path", type=Path, metavar="PATH", help="the directory of the library; its file CANARY holds the line"
    )
    canary.add_argument("--check", action="store_true", help="only list the files that lack it")
    add_commands(partial(_add, commands))
    schema = _add(commands, "schema", run_schema, "print the JSON Schema of a file format")
    schema.add_argument("format", choices=("scenario", "summary"))
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
    parser.set_defaults(run=run)
    return parser


def _add_places(parser: argparse.ArgumentParser) -> None:
    """Where environments are, as pytest's own options of these names say it."""
    parser.add_argument("--environment", default="docker", help="the provider of hosts (default: docker)")
    parser.add_argument("--docker-host", action="append", default=[], metavar="URL", help="an engine; may be repeated")
    for name in ("kubeconfig", "context", "cluster", "registry"):
        usual = os.environ.get(f"PYTEST_ITBENCH_{name.upper()}", "")
        word = "FILE" if name == "kubeconfig" else "NAME"
        parser.add_argument(f"--{name}", default=usual, metavar=word, help=f"as pytest's --itbench-{name}")


def _make_providers(parsed: argparse.Namespace) -> Providers:
    if parsed.kubeconfig and (problem := find_flaw(Path(parsed.kubeconfig), parsed.context)):
        raise UserMistake(f"--kubeconfig: {problem}")
    options = ProviderOptions(
        cache=find_cache(),
        owner=describe_owner(),
        docker_hosts=tuple(parsed.docker_host),
        network_pools=find_default("itbench_network_pool"),
        kubeconfig=parsed.kubeconfig,
        context=parsed.context,
        cluster=parsed.cluster,
        registry=parsed.registry,
    )
    return Providers(options, parsed.environment)


def run_check(arguments: Sequence[str]) -> int:
    """Prove scenarios, in a pytest run."""
    return run_pytest(["--itbench-prove", *arguments])


def run_doctor(parsed: argparse.Namespace) -> int:
    """Look at the machine."""
    providers = _make_providers(parsed)
    findings = [*diagnose(), *diagnose_tools(), *providers.diagnose()]
    providers.close()
    for well, text in findings:
        print(f"{'ok  ' if well else 'FAIL'}  {text}")
    return 0 if all(well for well, _ in findings) else 1


def run_new(parsed: argparse.Namespace) -> int:
    """Write a scenario to start from."""
    directory: Path = parsed.path
    for path in write_scenario(directory):
        print(path)
    print(f"next: pytest-itbench check {directory}")
    return 0


def run_prepare(parsed: argparse.Namespace) -> int:
    """Get or build images, with a line for each."""
    refuse_mistakes(parsed.paths, [])
    scenarios = [load_scenario(file) for path in parsed.paths for file in find_scenario_files(path)]
    if not scenarios:
        raise UserMistake(f"no scenario.yaml at or below {', '.join(str(path) for path in parsed.paths)}")
    providers, seen = _make_providers(parsed), set()
    try:
        for image, user in providers.prepare(scenarios):
            if image not in seen:
                print(f"{image}  {user}", flush=True)
            seen.add(image)
    finally:
        providers.sweep(describe_owner())
        providers.close()
    return 0


def run_canary(parsed: argparse.Namespace) -> int:
    """Mark a library's files, or list those that are not marked."""
    refuse_mistakes([parsed.path], [])
    if not any(find_scenario_files(parsed.path)):
        raise UserMistake(f"no scenario.yaml below {parsed.path}")
    canary = read_canary(parsed.path) if parsed.check else make_canary(parsed.path)
    unmarked = list(find_unmarked(parsed.path, canary))
    for path in unmarked:
        print(f"{path}: lacks the line of {parsed.path / CANARY}" if parsed.check else path)
        if not parsed.check:
            mark(path, canary)
    return 1 if parsed.check and unmarked else 0


def run_reap(parsed: argparse.Namespace) -> int:
    """Remove what was left behind, with a line for each thing."""
    providers, removed = _make_providers(parsed), list[str]()
    for provider in providers.find_usable():
        removed += [*provider.sweep_orphans(), *(provider.sweep_kept() if parsed.kept else ())]
    providers.close()
    for name in removed:
        print(f"removed {name}")
    print(f"{len(removed)} things of runs that are no more" if removed else "nothing is left behind")
    return 0


def run_schema(parsed: argparse.Namespace) -> int:
    """Print a schema."""
    schema = {"scenario": build_schema, "summary": load_schema}[parsed.format]()
    print(json.dumps(schema, indent=2))
    return 0
