"""What a check is told of the candidate itself; its argument is called ``candidate``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_itbench.domain.parts import split_parts
from pytest_itbench.domain.scenario import CandidateKind
from pytest_itbench.errors import ValidatorBroken
from pytest_itbench.validation.kyverno import find_verdict, judge_by_kyverno
from pytest_itbench.validation.rego import judge_by_rego
from pytest_itbench.validation.yaml_text import read_yaml

LARGEST_ANSWER = 256 * 1024


class HandedIn:
    """A candidate as data. Without one, as before the candidate is applied, every check that asks for it fails."""

    def __init__(self, kind: CandidateKind, text: str | None) -> None:
        self._kind, self._text = kind, text

    @property
    def parts(self) -> dict[str, str]:
        """Its files, by name.

        Raises:
            AssertionError: there is no candidate yet.
        """
        assert self._text is not None, "nothing was handed in yet"
        return split_parts(self._kind, self._text)

    def _part(self, name: str) -> str:
        """A file of it.

        Raises:
            ValidatorBroken: candidates of this kind have no such file.
        """
        parts = self.parts
        if name not in parts:
            raise ValidatorBroken(f"a check asks for {name}, which a candidate of kind {self._kind} has not")
        return parts[name]

    @property
    def answer(self) -> Any:
        """What stands in ``answer.json``.

        Raises:
            AssertionError: it is not valid JSON.
        """
        text = self._part("answer.json")
        assert len(text) <= LARGEST_ANSWER, f"answer.json has {len(text)} bytes: at most {LARGEST_ANSWER} are read"
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise AssertionError(f"the answer is no valid JSON: {error}") from None

    @property
    def documents(self) -> list[Any]:
        """The documents in its YAML file, as `read_yaml` gives them.

        Raises:
            AssertionError: they cannot be read.
            ValidatorBroken: candidates of this kind have no such file.
        """
        name = next((name for name in self.parts if name.endswith((".yaml", ".yml"))), "YAML")
        return read_yaml(self._part(name), name)

    def judge(self, collected: Any) -> bool:
        """What its Rego policy says of collected data: whether the requirement is met.

        Raises:
            AssertionError: the policy says neither true nor false.
        """
        return judge_by_rego(self._part("policy.rego"), collected)

    def apply_kyverno(self, resource: Path) -> str:
        """What its Kyverno policy makes of the one resource in a file: ``pass``, ``fail``, ``error``, or ``skip``.

        ``skip`` means that no rule is about the resource, or that those which are have preconditions it does not meet.

        Raises:
            AssertionError: Kyverno does not take the policy.
        """
        found = judge_by_kyverno(self._part("policy.yaml"), [resource.read_text(encoding="utf-8")])
        return find_verdict(set().union(*found.values()))


class Handles(dict[str, Any]):
    """What checks may ask for by name: hosts, or the cluster. The candidate stands beside them.

    Attributes:
        candidate: what was handed in.
    """

    def __init__(self, given: Mapping[str, Any], candidate: HandedIn) -> None:
        super().__init__(given)
        self.candidate = candidate
