"""``validate.sh``: a shell script that runs on one host and names its checks."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping

from testinfra.host import Host

from pytest_itbench.domain.outcome import CheckResult
from pytest_itbench.domain.scenario import Scenario, Validator

# check NAME COMMAND…: passes when the command succeeds; what it printed is its message.
PRELUDE = """
check() {
  name=$1; shift
  if seen=$("$@" 2>&1); then passed=yes; else passed=no; fi
  printf '%s %s %s %s\\n' '@MARK@' "$(printf %s "$name" | base64 | tr -d '\\n')" "$passed" \\
    "$(printf %s "$seen" | base64 | tr -d '\\n')"
}
"""


def run_shell_validator(scenario: Scenario, validator: Validator, hosts: Mapping[str, Host]) -> Iterator[CheckResult]:
    """Run the script; without any `check` its exit status is the one check, named after the file."""
    del scenario
    mark = secrets.token_hex(16)
    script = PRELUDE.replace("@MARK@", mark) + validator.path.read_text(encoding="utf-8")
    ran = hosts[validator.host].run(script)
    found = [_read_check(line.split(" ")) for line in ran.stdout.splitlines() if line.startswith(mark)]
    yield from found
    if ran.rc != 0 or not found:
        message = "" if ran.rc == 0 else f"exit status {ran.rc}: {(ran.stderr or ran.stdout).strip()[-1000:]}"
        yield CheckResult(name=validator.path.name, passed=ran.rc == 0, message=message)


def _read_check(fields: list[str]) -> CheckResult:
    name, passed, seen = _decode(fields[1]), fields[2] == "yes", _decode(fields[3])
    return CheckResult(name=name, passed=passed, message="" if passed else seen or "the command failed")


def _decode(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace").strip()
