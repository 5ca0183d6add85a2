"""Proofs that are kept: of which scenarios it is known that they are good, as they are now.

A proof holds for what was proven: the scenario's files with those of its stack, and those parts of this package, to the
byte, that read it, make its images, run its candidates and judge them. Whatever of it changes, the proof does not hold
any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.errors import OptionMistake
from pytest_itbench.whole_file import write_json

SCHEMA = 1
PACKAGE = Path(__file__).parent
HARNESS = ("domain", "loading", "environments", "validation", "running.py", "runner.py", "proving.py")
"""What of the package a proof depends on; how models are asked and results reported changes none."""
KUBERNETES = "environments/kubernetes"
"""Of that, what scenarios with hosts do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That everything held which must hold of a scenario.

    Attributes:
        key: what was proven (`identify`).
        proven: when the last of it held, ISO 8601.
        version: the package's, for people to read.
        repeats: how often each of them held.
        proofs: how many there were, repeats included.
        seconds: how long they took together.
    """

    key: str
    proven: str
    version: str
    repeats: int
    proofs: int
    seconds: float


def read_proofs(path: Path) -> dict[str, Proof]:
    """The proofs of a file by scenario; none where there is no file yet.

    Raises:
        OptionMistake: it is no file of proofs.
    """
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise OptionMistake(f"{path}: schema {content['schema']!r} is not {SCHEMA}: remove the file")
        return {name: Proof(**proof) for name, proof in content["proofs"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OptionMistake(f"{path} is no file of proofs: {error!r}; name another, or remove it") from error


def write_proofs(path: Path, proofs: Mapping[str, Proof]) -> None:
    """Write a file that `read_proofs` reads.

    Raises:
        OSError: it cannot be written.
    """
    record: dict[str, Any] = {"schema": SCHEMA, "proofs": {name: asdict(proofs[name]) for name in sorted(proofs)}}
    write_json(path, record)


def identify(scenario: Scenario) -> str:
    """What a proof of a scenario holds for, as a short hexadecimal text."""
    without = None if scenario.cluster else PACKAGE / KUBERNETES
    hashes = [_hash_files(PACKAGE / part, without) for part in HARNESS]
    hashes.append(_hash_files(scenario.directory))
    if scenario.cluster and scenario.cluster.stack:
        hashes.append(_hash_files(scenario.cluster.stack.directory))
    text = "\0".join([version("pytest-itbench"), *hashes])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _hash_files(place: Path, without: Path | None = None) -> str:
    """The hash of a file, or of all files of a directory, but for those below another directory."""
    digest = hashlib.sha256()
    for path in _list_files(place):
        if without is None or without not in path.parents:
            content, name = path.read_bytes(), path.relative_to(place).as_posix()
            digest.update(f"{name}\0{path.stat().st_mode & 0o100}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _list_files(place: Path) -> Iterator[Path]:
    paths: Iterable[Path] = sorted(place.rglob("*")) if place.is_dir() else [place]
    return (path for path in paths if path.is_file() and "__pycache__" not in path.relative_to(place).parts)
