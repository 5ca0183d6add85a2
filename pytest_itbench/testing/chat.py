"""A chat endpoint of OpenAI's protocol that says what it is told to, for tests of models and of whatever asks them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK = 200
TOO_MANY = 429


class ChatEndpoint(ThreadingHTTPServer):
    """Answers every request in the same way, after a while, and remembers what it was asked.

    Attributes:
        answer, finish: the reply's text, and why it ended.
        tokens: how many went in and came out.
        status: the HTTP status; any but 200 comes with the message `refusal`.
        delay: seconds that an answer takes.
        refuse_every: this request and its multiples get status 429; 0 for none.
        seen: the bodies of the requests, in the order of their arrival.
        under_way, peak: requests that are being answered now, and the most that were at once.
    """

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port of this machine."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.finish, self.refusal = "an answer", "stop", "bad key"
        self.tokens = (11, 7)
        self.status, self.delay, self.refuse_every = OK, 0.0, 0
        self.seen: list[dict[str, Any]] = []
        self.peak, self.under_way, self._lock = 0, 0, threading.Lock()

    @property
    def url(self) -> str:
        """What to give as ``--itbench-base-url``."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def enter(self, body: dict[str, Any]) -> int:
        """Note a request; gives its status."""
        with self._lock:
            self.seen.append(body)
            self.under_way += 1
            self.peak = max(self.peak, self.under_way)
            refused = self.refuse_every and len(self.seen) % self.refuse_every == 0
        return TOO_MANY if refused else self.status

    def leave(self) -> None:
        """Note that a request is about to be answered."""
        with self._lock:
            self.under_way -= 1

    def render(self, status: int) -> dict[str, Any]:
        """The body of an answer."""
        if status != OK:
            return {"error": {"message": self.refusal}}
        into, out = self.tokens
        message = {"role": "assistant", "content": self.answer}
        return {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": self.finish, "message": message}],
            "usage": {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out},
        }


class _Handler(BaseHTTPRequestHandler):
    server: ChatEndpoint

    def do_POST(self) -> None:
        endpoint = self.server
        status = endpoint.enter(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        time.sleep(endpoint.delay)
        body = json.dumps(endpoint.render(status)).encode()
        endpoint.leave()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if status == TOO_MANY and endpoint.refuse_every:
            self.send_header("retry-after", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Stay silent."""


@contextmanager
def serve_chat() -> Iterator[ChatEndpoint]:
    """An endpoint that runs for the length of the block."""
    endpoint = ChatEndpoint()
    thread = threading.Thread(target=endpoint.serve_forever, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.shutdown()
        endpoint.server_close()
        thread.join()
