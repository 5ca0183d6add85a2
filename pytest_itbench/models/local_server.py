"""llama.cpp's server in a process of its own: ``python -m pytest_itbench.models.local_server GGUF CONTEXT PORT``."""

from __future__ import annotations

import os
import sys
import threading


def main(path: str, context: str, port: str) -> None:
    """Serve until somebody ends the process."""
    import xllamacpp  # noqa: PLC0415  # only this process needs it

    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_ctx = int(context)
    # One request after the other: requests at once share the processor, and none of them gets done sooner.
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = os.cpu_count() or 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = int(port)
    parameters.ui = False
    server = xllamacpp.Server(parameters)
    print(f"listening at {server.listening_address}", flush=True)  # noqa: T201  # the log is its standard output
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
