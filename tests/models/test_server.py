"""Servers that a run starts for itself: ready, failing, and never left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest

from pytest_itbench.errors import ServerFailed
from pytest_itbench.models.server import Launch, ModelServer

SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(os.getpid()).encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def launch(code: str, patience: float = 20.0) -> Launch:
    """A server in Python."""
    return Launch(about="the server", command=lambda port: [sys.executable, "-c", code, str(port)], patience=patience)


def lives(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_server_is_waited_for_and_stopped(tmp_path: Path) -> None:
    """It answers when `wait` is over, and is gone when `stop` is over."""
    said: list[str] = []
    server = ModelServer(launch(SERVER), tmp_path / "log")
    server.wait(said.append)
    with urllib.request.urlopen(f"{server.url}/health") as answer:
        pid = int(answer.read())
    assert lives(pid)
    server.stop()
    assert not lives(pid)
    assert said[-1].startswith("itbench: the server is ready after ")


def test_a_server_that_ends_shows_its_log(tmp_path: Path) -> None:
    """The status and the last lines of its log."""
    server = ModelServer(launch("print('no such model'); raise SystemExit(3)"), tmp_path / "log")
    with pytest.raises(ServerFailed, match=r"(?s)the server ended with status 3; .*no such model"):
        server.wait(lambda _: None)
    server.stop()


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    """Patience ends."""
    server = ModelServer(launch("import time; time.sleep(60)", patience=0.5), tmp_path / "log")
    with pytest.raises(ServerFailed, match="gave no answer in"):
        server.wait(lambda _: None)
    server.stop()


def test_a_killed_run_leaves_no_server(tmp_path: Path) -> None:
    """The server ends although nobody could stop it."""
    code = f"""
    import os, signal, sys, urllib.request
    from pathlib import Path
    from pytest_itbench.models.server import Launch, ModelServer
    launch = Launch(about="x", command=lambda port: [sys.executable, "-c", {SERVER!r}, str(port)])
    server = ModelServer(launch, Path("log"))
    server.wait(print)
    print("PID", urllib.request.urlopen(server.url + "/health").read().decode(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout.partition("PID ")[2])
    deadline = time.monotonic() + 10
    while lives(pid):
        assert time.monotonic() < deadline, "the server still runs"
        time.sleep(0.05)
