"""A proxy in front of a container engine's socket: everything passes, but for what a rule spoils.

Each connection of a client has one of its own to the engine, and the end of one is the end of the other, as it would be
without a proxy between them. Requests and responses are read only as far as their framing, which is passed on as it is.
"""

from __future__ import annotations

import json
import math
import os
import re
import select
import shutil
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import responses
from pathlib import Path
from typing import Self

_PIECE = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer with a status and a message, as the engine words its errors, without asking it."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait before passing the request on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer; with passed_on, after the engine has done what it was asked to."""

    passed_on: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Pass the response's head and some bytes of what follows, be it a hijacked stream or a body; then close."""

    after: int


Action = Answer | Delay | Drop | Cut


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do with requests of a method (the whole of it) and a path (any part of it, without the API's version).

    Both are regular expressions. The first rule that fits counts, until it was used `times` times.
    """

    method: str
    path: str
    action: Action
    times: int | None = None

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is one of those meant."""
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))


class EngineProxy:
    """Passes requests to the engine at `target`, by default the usual one; a context manager.

    Attributes:
        url: the address for clients and DOCKER_HOST
        seen: method and path of each request, the path without the API's version
        hits: how often each rule was used
    """

    def __init__(self, *rules: Rule, target: str = "") -> None:
        """Takes no connection before `start`."""
        self._target = target or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        assert self._target.startswith("unix://"), f"only engines on sockets: {self._target}"
        self._rules, self._lock, self._closing = list(rules), threading.Condition(), threading.Event()
        self._directory = Path(tempfile.mkdtemp(prefix="itbench-proxy-"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._sockets: set[socket.socket] = set()
        self.url = f"unix://{self._directory / 'engine.sock'}"
        self.seen: list[tuple[str, str]] = []
        self.hits: Counter[Rule] = Counter()

    def start(self) -> None:
        """Take connections."""
        self._listener.bind(self.url.removeprefix("unix://"))
        self._listener.listen(64)
        self._accepting.start()

    def add(self, *rules: Rule) -> None:
        """Add rules, after those there are."""
        with self._lock:
            self._rules += rules

    def clear(self) -> None:
        """Drop all rules: everything passes."""
        with self._lock:
            self._rules.clear()

    def close(self) -> None:
        """Close all connections."""
        self._closing.set()
        _shut(self._listener)
        if self._accepting.ident:
            self._accepting.join(10)
        with self._lock:
            _shut(*self._sockets)
            assert self._lock.wait_for(lambda: not self._sockets, 10), "the proxy's connections do not end"
        self._listener.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _choose(self, method: str, path: str) -> Action | None:
        """Record a request and say what to do with it; None passes it on."""
        with self._lock:
            self.seen.append((method, path))
            for rule in self._rules:
                if rule.fits(method, path) and (rule.times is None or self.hits[rule] < rule.times):
                    self.hits[rule] += 1
                    return rule.action
        return None

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was shut
            while True:
                both = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
                with self._lock:
                    self._sockets.update(both)
                threading.Thread(target=self._serve, args=both, daemon=True).start()

    def _serve(self, client: socket.socket, engine: socket.socket) -> None:
        try:
            engine.connect(self._target.removeprefix("unix://"))
            connection = _Connection(client, engine, self._choose, self._closing)
            while connection.exchange():
                pass
        except (OSError, _Gone):
            pass  # how connections end
        finally:
            with self._lock, client, engine:
                self._sockets -= {client, engine}
                self._lock.notify_all()


class _Gone(Exception):
    """One side has closed, or shall be taken for closed: this ends both."""


class _Connection:
    """A client's connection and ours to the engine, one request after the other."""

    def __init__(
        self,
        client: socket.socket,
        engine: socket.socket,
        choose: Callable[[str, str], Action | None],
        closing: threading.Event,
    ) -> None:
        self._client, self._engine = _Side(client), _Side(engine)
        self._choose, self._closing = choose, closing

    def exchange(self) -> bool:
        """Whether another request may follow."""
        request = self._client.read_head(watch=self._engine)
        action = self._choose(request.method, request.path)
        match action:
            case Answer():
                return self._answer(request, action)
            case Drop(passed_on=False):
                return False
            case Delay(seconds) if self._closing.wait(seconds):
                return False
        is_whole = self._pass_request(request)
        return self._pass_response(request, self._find_sink(action)) and is_whole

    def _find_sink(self, action: Action | None) -> _Sink:
        match action:
            case Drop():
                return _Sink(None)
            case Cut(after):
                return _Sink(self._client, after)
        return _Sink(self._client)

    def _answer(self, request: _Head, answer: Answer) -> bool:
        for _ in self._client.read_body(request):
            pass
        body = json.dumps({"message": answer.message}).encode()
        reason = responses.get(answer.status, "Unknown")
        head = f"HTTP/1.1 {answer.status} {reason}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        self._client.send(head.encode() + (b"" if request.method == "HEAD" else body))
        return True

    def _pass_request(self, request: _Head) -> bool:
        """Whether all of it was passed on: an engine may answer, and close, before it has read everything."""
        try:
            self._engine.send(request.raw)
            for piece in self._client.read_body(request):
                self._engine.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def _pass_response(self, request: _Head, sink: _Sink) -> bool:
        response = self._engine.read_head(watch=self._client)
        sink.take_head(response.raw)
        if 100 <= response.status < 200 and response.status != HTTPStatus.SWITCHING_PROTOCOLS:
            return self._pass_response(request, sink)
        if response.is_stream:
            if sink.is_client:
                self._pass_stream(sink)
            return False
        if request.method != "HEAD" and response.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            for piece in self._engine.read_body(response, watch=self._client):
                sink.take(piece)
        return sink.is_client

    def _pass_stream(self, sink: _Sink) -> None:
        """Both ways at once, until the engine ends it; the client may end its own direction before."""
        upwards = threading.Thread(target=self._pass_upwards, daemon=True)
        upwards.start()
        try:
            for piece in self._engine.read_rest():
                sink.take(piece)
        finally:
            self._client.shut()
            self._engine.shut()
            upwards.join()

    def _pass_upwards(self) -> None:
        with suppress(OSError):
            for piece in self._client.read_rest():
                self._engine.send(piece)
            self._engine.shut(socket.SHUT_WR)


class _Side:
    """One end of a connection, with what was read of it and not yet used."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket, self._unused = connected, b""

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def shut(self, how: int = socket.SHUT_RDWR) -> None:
        _shut(self._socket, how=how)

    def read_head(self, watch: _Side) -> _Head:
        """The lines up to the first empty one; ends when the other side goes, as the one connection it stands for."""
        return _Head(self._read_until(b"\r\n\r\n", watch))

    def read_body(self, head: _Head, watch: _Side | None = None) -> Iterator[bytes]:
        """What follows a head, with its framing, as it arrives."""
        if head.is_chunked:
            yield from self._read_chunks(watch)
        elif head.length is None:
            yield from self.read_rest(watch)
        else:
            yield from self._read_exactly(head.length, watch)

    def read_rest(self, watch: _Side | None = None) -> Iterator[bytes]:
        """All until this side ends."""
        with suppress(_Gone):
            while True:
                yield self._read_some(_PIECE, watch)

    def _read_chunks(self, watch: _Side | None) -> Iterator[bytes]:
        while True:
            line = self._read_until(b"\r\n", watch)
            yield line
            size = int(line.partition(b";")[0], 16)
            if size == 0:
                break
            yield from self._read_exactly(size + len(b"\r\n"), watch)
        while line != b"\r\n":  # trailers
            line = self._read_until(b"\r\n", watch)
            yield line

    def _read_exactly(self, size: int, watch: _Side | None) -> Iterator[bytes]:
        while size:
            piece = self._read_some(size, watch)
            size -= len(piece)
            yield piece

    def _read_until(self, mark: bytes, watch: _Side | None) -> bytes:
        while mark not in self._unused:
            self._receive(watch)
        found, _, self._unused = self._unused.partition(mark)
        return found + mark

    def _read_some(self, limit: int, watch: _Side | None) -> bytes:
        if not self._unused:
            self._receive(watch)
        found, self._unused = self._unused[:limit], self._unused[limit:]
        return found

    def _receive(self, watch: _Side | None) -> None:
        if watch:
            self._await(watch)
        data = self._socket.recv(_PIECE)
        if not data:
            raise _Gone
        self._unused += data

    def _await(self, other: _Side) -> None:
        """Wait until there is something to read here.

        Raises:
            _Gone: the other side has closed.
        """
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(other._socket, select.POLLRDHUP)
        if self._socket.fileno() not in dict(poll.poll()):
            raise _Gone


class _Head:
    """A request's or response's first line and headers."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        first, *lines = raw.decode("latin-1").splitlines()
        self._first = first.split(" ", 2)
        self._headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def method(self) -> str:
        return self._first[0]

    @property
    def path(self) -> str:
        return re.sub(r"^/v\d+\.\d+(?=/)", "", self._first[1])

    @property
    def status(self) -> int:
        return int(self._first[1])

    @property
    def is_response(self) -> bool:
        return self._first[0].startswith("HTTP/")

    @property
    def is_chunked(self) -> bool:
        return "chunked" in self._headers.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int | None:
        """None where only the connection's end tells."""
        length = self._headers.get("content-length")
        return int(length) if length else None if self.is_response else 0

    @property
    def is_stream(self) -> bool:
        """Whether the connection belongs to a process from here on; old clients get it without asking for upgrade."""
        unframed = not self.is_chunked and self.length is None
        raw = re.search(r"docker\.(raw|multiplexed)-stream", self._headers.get("content-type", "")) is not None
        return self.status == HTTPStatus.SWITCHING_PROTOCOLS or (unframed and raw)


class _Sink:
    """Where a response goes: to the client, there whole or up to a limit, or nowhere."""

    def __init__(self, client: _Side | None, limit: float = math.inf) -> None:
        self._client, self._left = client, limit
        self.is_client = client is not None

    def take_head(self, data: bytes) -> None:
        if self._client:
            self._client.send(data)
        self._count(0)

    def take(self, data: bytes) -> None:
        if self._client:
            self._client.send(data[: int(min(self._left, len(data)))])
        self._count(len(data))

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left <= 0:
            raise _Gone


def _shut(*ours: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    for one in ours:
        with suppress(OSError):  # the other side was faster
            one.shutdown(how)
