"""Ansible callback: one line of JSON on stderr for each result, so that the harness need not read prose."""

from __future__ import annotations

import json
import os
import sys

from ansible.plugins.callback import CallbackBase

MESSAGE_LIMIT = 2000


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "itbench_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._mark = os.environ.get("ITBENCH_MARK", "")

    def _write(self, kind, result, ignored=False):
        task = result.task
        content = result.result
        parts = (content.get("msg"), content.get("reason"), content.get("module_stderr"), content.get("stderr"))
        message = "\n".join(str(part) for part in parts if part)
        if content.get("results"):
            failed = [item for item in content["results"] if isinstance(item, dict) and item.get("failed")]
            message = "\n".join([message, *(str(item.get("msg", "")) for item in failed)])
        event = {
            "kind": kind,
            "host": result.host.get_name(),
            "task": task.get_name().strip()[:200],
            "action": str(task.action),
            "message": message[:MESSAGE_LIMIT] if kind in ("failed", "unreachable") else "",
            "ignored": bool(ignored),
            "changed": bool(content.get("changed")),
        }
        sys.stderr.write(self._mark + json.dumps(event) + "\n")
        sys.stderr.flush()

    def v2_runner_on_ok(self, result):
        self._write("changed" if result.result.get("changed") else "ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write("failed", result, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result):
        self._write("unreachable", result, ignored=bool(result.task.ignore_unreachable))

    def v2_runner_on_skipped(self, result):
        self._write("skipped", result)

    def v2_playbook_on_stats(self, stats):
        sys.stderr.write(self._mark + "end\n")
        sys.stderr.flush()
