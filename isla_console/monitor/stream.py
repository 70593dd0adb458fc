"""The connection under an HTTP probe, and a stopwatch on it. Imported with the first probe."""

# ruff: noqa: ASYNC109 - httpcore's interface has the timeouts as arguments

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from isla_console.monitor.lookup import Address, Resolver
from isla_console.monitor.race import first_answer

_Connection = tuple[float, asyncio.StreamReader, asyncio.StreamWriter]


class Progress:
    """How far a request got and when. Times come from a monotonic clock, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.doing = "looking up the name"
        """For "timed out after 5 s ..."."""
        self.address: Address | None = None
        self.certificate: dict[str, Any] | None = None
        self.status: int | None = None
        self.location: str | None = None
        self.headers: dict[bytes, bytes] = {}
        """Of the answer, by lower-case name."""
        self.dns_ms: float | None = None
        self.connect_ms: float | None = None
        self.tls_ms: float | None = None
        self.first_byte_ms: float | None = None
        self.total_ms: float | None = None
        self._started: float | None = None
        self._sent: float | None = None

    def since(self, start: float) -> float:
        """Milliseconds since a moment."""
        return (self.now() - start) * 1000

    def start(self) -> float:
        """The lookup begins; the moment."""
        self._started = self.now()
        return self._started

    def sending(self) -> None:
        """The request's first byte is written."""
        if self._sent is None:
            self._sent = self.now()
            self.doing = "waiting for the answer"

    def received(self) -> None:
        """Some of the answer was read."""
        if self.first_byte_ms is None and self._sent is not None:
            self.first_byte_ms = self.since(self._sent)

    def end(self) -> None:
        """Nothing more is read."""
        if self._started is not None:
            self.total_ms = self.since(self._started)


class Backend(httpcore.AsyncNetworkBackend):
    """Connects for httpcore: our own lookup, the first address that answers, each phase timed."""

    def __init__(self, resolver: Resolver, progress: Progress) -> None:
        self._resolver = resolver
        self._progress = progress

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        progress = self._progress
        started = progress.start()
        addresses = await self._resolver.resolve(host, port)
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
        return _Stream(reader, writer, progress)


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that tells the stopwatch what passes over it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, progress: Progress
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._progress = progress

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        part = await self._reader.read(max_bytes)
        if part:
            self._progress.received()
        return part

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._progress.sending()
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:
            # httpcore then still reads: a server may answer before it has read everything.
            raise httpcore.WriteError from error

    async def aclose(self) -> None:
        # Not close(): that waits for a polite goodbye, which a hanging server never sends.
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        progress = self._progress
        progress.doing = "in the TLS handshake"
        started = progress.now()
        try:
            await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            self._writer.transport.abort()
            raise
        progress.tls_ms = progress.since(started)
        progress.certificate = self.get_extra_info("ssl_object").getpeercert()
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._writer.get_extra_info(info)
