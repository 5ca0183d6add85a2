"""Does one job with what a model wrote; a program of its own, started by `pytest_itbench.validation.limited`.

The job is another file: its `prepare` is called first, its `work` under narrow limits. Neither that file nor this one
imports anything of this package, so that the process starts fast. What came of it is one line of JSON.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import resource
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

CPU = 10
"""Seconds of a processor."""
MEMORY = 1024**3
OUTPUT = 2 * 1024**2
TOO_LARGE = 70
"""Exit status of a process that wants too much memory."""
TOO_LONG = 71
"""Exit status of a process that has too much to say."""

LIMITS = {
    resource.RLIMIT_CPU: CPU,
    resource.RLIMIT_FSIZE: OUTPUT,
    resource.RLIMIT_NOFILE: 0,  # what is open stays open; nothing else can be opened, sockets among it
    resource.RLIMIT_CORE: 0,
}
USED = re.compile(rb"^Vm(?:HWM|RSS):\s*(\d+) kB", re.MULTILINE)


def find_memory(status: int) -> int:
    """How many bytes the process has used at most; `status` is /proc/self/status, opened, or -1 where there is none.

    On Linux, getrusage begins with what the process had used that started this one: pytest's own memory.
    """
    found = USED.search(os.pread(status, 4096, 0)) if status >= 0 else None
    if found:
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def watch_memory(status: int) -> None:
    """End the process once it has used too much. Rego's allocator reserves 256 GiB, so that no rlimit can do this."""
    while find_memory(status) < MEMORY:
        time.sleep(0.02)
    os._exit(TOO_LARGE)


def narrow() -> None:
    """Give up what the job does not need."""
    status = -1
    with contextlib.suppress(OSError):  # should memory run out all the same, this process is to go first
        Path("/proc/self/oom_score_adj").write_text("1000")
    with contextlib.suppress(OSError):
        status = os.open("/proc/self/status", os.O_RDONLY)
    for limit, value in LIMITS.items():
        with contextlib.suppress(ValueError, OSError):  # systems differ in what they bound
            resource.setrlimit(limit, (value, value))
    threading.Thread(target=watch_memory, args=(status,), daemon=True).start()


def load_job(path: str) -> ModuleType:
    """The file's module.

    Raises:
        ImportError: there is no such file, or it cannot be imported.
    """
    spec = importlib.util.spec_from_file_location("job", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def do_job() -> int:
    """Read what is asked from standard input, and write what the job makes of it to standard output."""
    path, library = sys.argv[1:]
    sys.path.append(library)  # isolated Python does not look at users' directories
    asked = json.loads(sys.stdin.read())
    result = os.dup(1)
    os.dup2(2, 1)  # what libraries print about a model's text shall not pass for a result
    job = load_job(path)
    ready = job.prepare()
    narrow()
    told = json.dumps(job.work(ready, asked)).encode()
    if len(told) > OUTPUT:
        return TOO_LONG
    with os.fdopen(result, "wb") as file:
        file.write(told)
    return 0


def main() -> None:
    """End with the job's status, at once: to end threads in order, C's library would have to open a file."""
    try:
        status = do_job()
    except BaseException:  # noqa: BLE001  # whatever it is, it is told, and the status says it
        sys.excepthook(*sys.exc_info())
        status = 1
    os._exit(status)


if __name__ == "__main__":
    main()
