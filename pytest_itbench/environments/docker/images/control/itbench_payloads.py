"""Ansible callback: gives a run the payloads that `build_payloads.py` built, by the names under which Ansible keeps its own."""

from __future__ import annotations

from pathlib import Path

from ansible import constants
from ansible.plugins.callback import CallbackBase

BUILT = Path("/opt/ansible/payloads")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "itbench_payloads"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        kept = Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")
        kept.mkdir(exist_ok=True)
        for payload in BUILT.iterdir():
            kept.joinpath(payload.name).symlink_to(payload)
