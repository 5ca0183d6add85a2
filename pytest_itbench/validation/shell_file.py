"""``validate.sh``: a shell script that runs on one host and names its checks."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_itbench.domain.outcome import CheckResult
from pytest_itbench.domain.scenario import Scenario, Validator

# check NAME COMMAND…: passes when the command succeeds; what it printed is its message.
FIELDS = 4
PRELUDE = """
check() {
  name=$1; shift
  if seen=$("$@" 2>&1); then passed=yes; else passed=no; fi
  printf '%s %s %s %s\\n' '@MARK@' "$(printf %s "$name" | base64 | tr -d '\\n')" "$passed" \\
    "$(printf %s "$seen" | head -c 4000 | base64 | tr -d '\\n')"
}
"""


def run_shell_validator(scenario: Scenario, validator: Validator, hosts: Mapping[str, Any]) -> Iterator[CheckResult]:
    """Run the script; without any `check` its exit status is the one check, named after the file."""
    del scenario
    mark = secrets.token_hex(16)
    script = PRELUDE.replace("@MARK@", mark) + validator.path.read_text(encoding="utf-8")
    try:
        ran = hosts[validator.host].run(script)
    except AssertionError as error:  # it did not end in time
        yield CheckResult(name=validator.path.name, passed=False, message=str(error))
        return
    lines = [line.split(" ") for line in ran.stdout.splitlines() if line.startswith(mark)]
    found = [_read_check(fields) for fields in lines if len(fields) == FIELDS]
    yield from found
    if ran.rc != 0 or len(found) < max(1, len(lines)):
        message = f"exit status {ran.rc}: {(ran.stderr or ran.stdout).strip()[-1000:]}"
        whole = ran.rc == 0 and not lines
        yield CheckResult(name=validator.path.name, passed=whole, message="" if whole else message)


def _read_check(fields: list[str]) -> CheckResult:
    name, passed, seen = _decode(fields[1]), fields[2] == "yes", _decode(fields[3])
    return CheckResult(name=name, passed=passed, message="" if passed else seen or "the command failed")


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text).decode(errors="replace").strip()
    except ValueError:
        return "(what it said was cut)"
