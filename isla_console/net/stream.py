"""One HTTP/1.1 exchange over a connection of its own, timed. Imported with the first probe.

h11 speaks the protocol. There is no pool or client, whose layers would cost an idle console more than the
request does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import h11

from isla_console.net.lookup import Address, Resolver
from isla_console.net.race import first_answer

MAX_HEADERS = 100 * 1024
_AT_ONCE = 64 * 1024

_Connection = tuple[float, asyncio.StreamReader, asyncio.StreamWriter]


class Unanswered(Exception):
    """What came is not an answer; the message is safe to show."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent and where to. It may hold secrets, so its repr does not show the head."""

    tls: bool
    host: str
    port: int
    head: h11.Request = field(repr=False)


class Progress:
    """How far a request got, and when. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.doing = "looking up the name"
        """Completes a sentence such as "timed out after 5 s ..."."""
        self.address: Address | None = None
        self.certificate: dict[str, Any] | None = None
        self.status: int | None = None
        self.headers: dict[bytes, bytes] = {}
        """Those of the answer, by lower-case name."""
        self.dns_ms: float | None = None
        self.connect_ms: float | None = None
        self.tls_ms: float | None = None
        self.first_byte_ms: float | None = None
        self.total_ms: float | None = None
        self._started: float | None = None
        self._sent: float | None = None

    @property
    def location(self) -> str | None:
        """Where the answer redirects to."""
        found = self.headers.get(b"location")
        return found.decode("latin-1") if found is not None else None

    def since(self, start: float) -> float:
        """Return the milliseconds since `start`."""
        return (self.now() - start) * 1000

    def start(self) -> float:
        """Note that the lookup begins, and return the time."""
        self._started = self.now()
        return self._started

    def sending(self) -> None:
        """Note that the request's first byte is written."""
        if self._sent is None:
            self._sent = self.now()
            self.doing = "waiting for the answer"

    def received(self) -> None:
        """Note that some of the answer was read."""
        if self.first_byte_ms is None and self._sent is not None:
            self.first_byte_ms = self.since(self._sent)

    def end(self) -> None:
        """Note that nothing more is read."""
        if self._started is not None:
            self.total_ms = self.since(self._started)


async def exchange(
    request: Request, resolver: Resolver, ssl_context: ssl.SSLContext | None, progress: Progress
) -> AsyncGenerator[bytes, None]:
    """Send a request and yield the parts of the answer's body; its status and headers go to `progress`.

    Closing the generator ends the connection.

    Raises:
        OSError: The network or TLS failed.
        LookupFailed: The name has no address.
        h11.LocalProtocolError: The request cannot be sent.
        Unanswered: The far side does not speak HTTP, or stopped in the middle.
    """
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADERS)
    wire = http.send(request.head) or b""
    wire += http.send(h11.EndOfMessage()) or b""
    reader, writer = await _connect(request, resolver, progress)
    try:
        if request.tls:
            await _start_tls(writer, ssl_context or ssl.create_default_context(), request.host, progress)
        progress.sending()
        # A server may answer, and hang up, before it has read everything: what it says still counts.
        with contextlib.suppress(OSError):
            writer.write(wire)
            await writer.drain()
        while True:
            event = await _next(http, reader, progress)
            if isinstance(event, h11.Response):
                progress.status = event.status_code
                progress.headers = dict(reversed(list(event.headers)))
                progress.doing = "reading the answer"
            elif isinstance(event, h11.Data):
                yield bytes(event.data)
            elif not isinstance(event, h11.InformationalResponse):
                return
    finally:
        # Not close(): that waits for a polite goodbye, which a hanging server never sends.
        writer.transport.abort()


async def _connect(
    request: Request, resolver: Resolver, progress: Progress
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    started = progress.start()
    addresses = await resolver.resolve(request.host, request.port)
    progress.dns_ms = progress.since(started)
    progress.doing = "connecting"

    async def connect(address: Address) -> _Connection:
        begun = progress.now()
        reader, writer = await asyncio.open_connection(address.ip, address.port)
        return progress.since(begun), reader, writer

    async def discard(connection: _Connection) -> None:
        connection[2].transport.abort()

    winner = await first_answer(addresses, connect, discard)
    progress.address = winner[0]
    progress.connect_ms, reader, writer = winner[1]
    return reader, writer


async def _start_tls(
    writer: asyncio.StreamWriter, context: ssl.SSLContext, host: str, progress: Progress
) -> None:
    progress.doing = "in the TLS handshake"
    started = progress.now()
    await writer.start_tls(context, server_hostname=host)
    progress.tls_ms = progress.since(started)
    progress.certificate = writer.get_extra_info("ssl_object").getpeercert()


async def _next(http: h11.Connection, reader: asyncio.StreamReader, progress: Progress) -> Any:
    """Return the next event of the answer."""
    while True:
        try:
            event = http.next_event()
        except h11.RemoteProtocolError as error:
            raise Unanswered(_no_http(str(error))) from None
        if event is not h11.NEED_DATA:
            return event
        part = await reader.read(_AT_ONCE)
        if part:
            progress.received()
        elif http.their_state is h11.SEND_RESPONSE:
            where = "without an" if progress.first_byte_ms is None else "in the middle of the"
            raise Unanswered(f"connection closed {where} answer")
        http.receive_data(part)


def _no_http(message: str) -> str:
    if "closed connection" in message:
        return "connection closed in the middle of the answer"
    if "too long" in message:
        return f"headers larger than {MAX_HEADERS // 1024} KiB"
    return "the answer is no HTTP"
