"""Build, once, what Ansible sends to hosts for its usual modules, with its Python already compiled.

usage: build_payloads.py DIRECTORY

Ansible builds these payloads anew in each run, and a host compiles them anew for each task; together that takes a third
of a playbook's time. A host whose Python is another one compiles the sources, which stay beside what was compiled.
"""

from __future__ import annotations

import importlib.util
import marshal
import shutil
import sys
import types
import zipfile
from pathlib import Path

from ansible import constants
from ansible.executor import module_common
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

SITE = Path(module_common.__file__).parents[2]
PLACES = (SITE / "ansible/modules", SITE / "ansible_collections/ansible/posix/plugins/modules")
UNCHECKED = 1  # by this flag nobody compares the compiled file with its source (PEP 552)
HEADER = importlib.util.MAGIC_NUMBER + UNCHECKED.to_bytes(4, "little") + bytes(8)


class CompiledZip(zipfile.ZipFile):
    """Puts beside each source what Python makes of it."""

    def writestr(self, info, data, *rest, **more):
        super().writestr(info, data, *rest, **more)
        compiled = zipfile.ZipInfo(f"{info.filename}c", info.date_time)
        compiled.compress_type = info.compress_type
        super().writestr(compiled, HEADER + marshal.dumps(compile(data, info.filename, "exec", dont_inherit=True)))


def build(module: Path) -> None:
    """Have Ansible build the payload of a module, which it keeps for the rest of its run."""
    module_common.modify_module(
        module_name=module.stem,
        module_path=str(module),
        module_args={},
        templar=Templar(loader=DataLoader()),
        task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
        module_compression=constants.DEFAULT_MODULE_COMPRESSION,
    )


if __name__ == "__main__":
    init_plugin_loader()
    module_common.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": CompiledZip})
    for place in PLACES:
        for module in sorted(place.glob("[!_]*.py")):
            build(module)
    kept = Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")
    shutil.copytree(kept, sys.argv[1], ignore=shutil.ignore_patterns("*.lock"))
