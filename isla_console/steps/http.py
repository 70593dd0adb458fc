"""A step's HTTP request: built from inputs, sent once, its answer bounded and made into rows.

A redirect is an answer and is never followed, so that credentials stay with the host they are meant for. The
client library is imported on first use.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from isla_console.net.environment import proxy_fault, ssl_context
from isla_console.net.failures import OwnFault
from isla_console.runbook.steps import HttpCall
from isla_console.runbook.templates import into_body, into_header, into_json, into_text, into_url, needed_in
from isla_console.steps.output import LINE, Capture, decoded
from isla_console.steps.rows import NO_TABLE, Row, Table, tabulated

if TYPE_CHECKING:
    import httpx

MOST_BYTES: Final = 8 * 1024 * 1024
"""The most bytes of an answer that is made into rows; a longer one is cut off, and that is said."""
DEFAULT_TIMEOUT_S: Final = 15.0
TURN_S: Final = 0.004
"""Seconds for which lines of a stream are read before other tasks get a turn."""
_PIECE: Final = 64 * 1024
_UNSENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "InvalidURL",
        "LocalProtocolError",
    }
)
"""The client library's errors before a request leaves."""
AGENT: Final = "isla-console (runbook step)"


@dataclass(frozen=True, slots=True)
class Request:
    """A request, ready to send."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    text: str | None = None
    form: Mapping[str, str] | None = None

    @property
    def shown(self) -> str:
        """Method, address and query, for people; headers and body are left out."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {self.url}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. `status` is None when there is none, and then `problem` says why."""

    status: int | None
    problem: str = ""
    location: str = ""
    kind: str = ""
    table: Table = NO_TABLE
    stopped: bool = False
    sent: bool = True
    """Whether the server may have been asked, where there is no answer."""


def build(call: HttpCall, values: Mapping[str, str]) -> Request:
    """Return the request with its inputs in place, without the parts whose optional inputs are unset.

    Raises:
        PlaceError: A value is not allowed in its place.
    """
    body, text = None, None
    if isinstance(call.body, str):
        text = into_body(call.body, values)
    elif call.body is not None:
        body = into_json(call.body, values)
    return Request(
        method=call.method,
        url=into_url(call.url, values),
        query={k: into_text(v, values) for k, v in call.query.items() if needed_in(v, values)},
        headers={k: into_header(k, v, values) for k, v in call.headers.items() if needed_in(v, values)},
        json=body,
        text=text,
        form={k: into_text(v, values) for k, v in call.form.items()} if call.form is not None else None,
    )


async def send(
    request: Request,
    capture: Capture,
    *,
    table: str | None = None,
    timeout_s: float | None = None,
    stop: asyncio.Event | None = None,
    trust_env: bool = True,
) -> Answer:
    """Send a request and read the answer into `capture`. Never raises: every failure is an `Answer`."""
    limit = timeout_s or DEFAULT_TIMEOUT_S
    work = asyncio.create_task(_ask(request, capture, table, limit, trust_env))
    stopped = asyncio.create_task((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait((work, stopped), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        if stopped.done():
            return Answer(None, "stopped", stopped=True)
        return Answer(None, f"timed out after {limit:g} s")
    finally:
        work.cancel()
        stopped.cancel()
        await asyncio.gather(work, stopped, return_exceptions=True)


async def stream(
    request: Request,
    capture: Capture,
    on_row: Callable[[Row], None],
    *,
    table: str | None = None,
    stop: asyncio.Event | None = None,
    trust_env: bool = True,
) -> Answer:
    """Follow an answer of JSON lines until it ends or `stop` is set; each line makes a row."""
    work = asyncio.create_task(_follow(request, capture, on_row, table, trust_env))
    stopped = asyncio.create_task((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else Answer(None, "stopped", stopped=True)
    finally:
        work.cancel()
        stopped.cancel()
        await asyncio.gather(work, stopped, return_exceptions=True)


async def _ask(
    request: Request, capture: Capture, table: str | None, timeout_s: float, trust_env: bool
) -> Answer:
    body = bytearray()
    try:
        async with await _client(timeout_s, trust_env) as client, _open(client, request) as response:
            async for chunk in _unpacked(response):
                capture.feed(chunk)
                if len(body) < MOST_BYTES:
                    body += chunk
                if capture.size > MOST_BYTES:
                    break
            # Reading stops at the limit: whatever the server goes on sending is not waited for.
            return await _answer(response, bytes(body), capture.size > MOST_BYTES, table)
    except Exception as error:
        return Answer(None, _failure(error, timeout_s), sent=type(error).__name__ not in _UNSENT)


async def _follow(
    request: Request, capture: Capture, on_row: Callable[[Row], None], table: str | None, trust_env: bool
) -> Answer:
    try:
        async with await _client(None, trust_env) as client, _open(client, request) as response:
            if response.status_code != 200:
                body = await _at_most(response, 64 * 1024)
                capture.feed(body)
                return await _answer(response, body, False, None)
            began = time.perf_counter()
            async for line in _lines(response):
                capture.feed(line + b"\n")
                for row in _rows(line, table):
                    on_row(row)
                # A stream at full speed must not keep keys from being read.
                if time.perf_counter() - began > TURN_S:
                    await asyncio.sleep(0)
                    began = time.perf_counter()
            return Answer(response.status_code, "the server ended the stream", kind=_kind(response))
    except Exception as error:
        return Answer(None, _failure(error, 0))


async def _answer(response: httpx.Response, body: bytes, cut: bool, table: str | None) -> Answer:
    location = response.headers.get("location", "")
    status = response.status_code
    if table is None or not 200 <= status < 300:
        return Answer(status, location=location, kind=_kind(response))
    if cut:
        problem = f"longer than {MOST_BYTES // 1024 // 1024} MiB, not tabulated"
        return Answer(status, problem, location, _kind(response))
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return Answer(status, f"not the JSON it promised: {_kind(response) or 'no type'}", location, "")
    try:
        found = await asyncio.to_thread(tabulated, data, table)
    except ValueError as error:
        return Answer(status, str(error), location, _kind(response))
    problem = found.note if found.rows is None else ""
    return Answer(status, problem, location, _kind(response), found)


async def _client(timeout_s: float | None, trust_env: bool) -> httpx.AsyncClient:
    """Make the client; httpx and the certificates are loaded off the event loop.

    Raises:
        OwnFault: The environment names certificates or a proxy that cannot be used.
    """
    library = await asyncio.to_thread(importlib.import_module, "httpx")
    timeout = library.Timeout(timeout_s, connect=min(timeout_s or 10.0, 10.0), pool=None)
    if trust_env and (fault := proxy_fault()) is not None:
        raise fault
    return cast(
        "httpx.AsyncClient",
        library.AsyncClient(
            timeout=timeout,
            follow_redirects=False,
            trust_env=trust_env,
            verify=await asyncio.to_thread(ssl_context) if trust_env else True,
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
        ),
    )


def _open(client: httpx.AsyncClient, request: Request) -> Any:
    headers = {name.encode(): value.encode("latin-1") for name, value in request.headers.items()}
    arguments: dict[str, Any] = {"headers": headers}
    if request.query:
        arguments["params"] = dict(request.query)
    if request.json is not None:
        arguments["json"] = request.json
    elif request.text is not None:
        arguments["content"] = request.text.encode()
    elif request.form is not None:
        arguments["data"] = dict(request.form)
    return client.stream(request.method, request.url, **arguments)


class _PackedError(Exception):
    """An answer whose compression cannot be undone."""


async def _unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the answer in small pieces: a few compressed bytes may stand for gigabytes.

    The request asks for no compression; gzip and deflate, which some servers send all the same, are undone
    piece by piece.

    Raises:
        _PackedError: It is compressed in another way, or broken.
    """
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing in {"", "identity"}:
        async for chunk in response.aiter_raw():
            yield chunk
        return
    if packing not in {"gzip", "x-gzip", "deflate"}:
        raise _PackedError(f"it is packed as {packing[:40]}, which was not asked for")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    async for chunk in response.aiter_raw():
        while chunk:
            try:
                piece = unpack.decompress(chunk, _PIECE)
            except zlib.error:
                raise _PackedError("the answer's compression is broken") from None
            if piece:
                yield piece
            elif unpack.eof:
                break
            chunk = unpack.unconsumed_tail


async def _at_most(response: httpx.Response, size: int) -> bytes:
    body = bytearray()
    async for chunk in _unpacked(response):
        body += chunk
        if len(body) >= size:
            break
    return bytes(body[:size])


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield a stream's lines; of one that is longer than any log line, the beginning."""
    rest = b""
    too_long = False
    async for chunk in _unpacked(response):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip() and not too_long:
                yield line
            too_long = False
        if len(rest) > 16 * LINE:
            if not too_long:
                yield rest
            # The rest could begin in the middle of a secret: only the beginning of such a line is shown.
            too_long, rest = True, b""
    if rest.strip() and not too_long:
        yield rest


def _rows(line: bytes, table: str | None) -> Sequence[Row]:
    """Return the rows of one line; one that is not an object, or does not fit the table, stays as it is."""
    try:
        data = json.loads(line)
        rows = tabulated(data, table).rows if isinstance(data, dict) else None
    except (ValueError, RecursionError):
        rows = None
    return rows or ({"line": decoded(line)[:LINE]},)


def _kind(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).split(";")[0]


def _failure(error: Exception, timeout_s: float) -> str:
    """Return why there is no answer; the library's own words are added only where they say more."""
    name = type(error).__name__
    if "Timeout" in name:
        return f"timed out after {timeout_s:g} s" if timeout_s else "timed out"
    text = str(error).strip() or name
    words = {
        "ConnectError": "cannot connect",
        "RemoteProtocolError": "the server broke off",
        "ReadError": "the connection broke",
        "UnsupportedProtocol": "no http:// or https:// address",
        "InvalidURL": "no valid address",
    }
    if isinstance(error, _PackedError | OwnFault):
        return text
    return f"{words[name]}: {text}" if name in words else f"{name}: {text}"
