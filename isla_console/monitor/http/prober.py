"""HTTP probes: one request, timed phase by phase.

Each probe opens its own connection and closes it: lookup, connect and TLS are then measured every
time, a new address or certificate is seen at once, and a load balancer does not pin us to one
instance. Redirects are never followed. No proxy is used: a probe says what this machine reaches.

Only the standard library is imported here; httpx and h11 are imported with the first probe, off the
event loop.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import logging
import ssl
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from isla_console import __version__
from isla_console.monitor.metrics.sample import Phases, Sample, defect
from isla_console.net.environment import ssl_context as trusted
from isla_console.net.failures import Failure, OwnFault, network_failure
from isla_console.net.lookup import LookupFailed, Resolver
from isla_console.runbook.patterns import found_in
from isla_console.settings.secret import Secret
from isla_console.text.brief import brief
from isla_console.text.redact import Redactor, redactor_of
from isla_console.text.times import http_date, since_1970

if TYPE_CHECKING:
    import httpx

    from isla_console.net.stream import Progress, Request

USER_AGENT = f"isla-console/{__version__} (health probe)"
MAX_BODY = 64 * 1024
"""The most bytes that are read of an answer; then the connection is closed."""

_SHORTEST_HIDDEN = 6
"""The shortest value that is hidden, in characters: hiding a header's short words would mangle the answer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """A request to repeat. Address, headers and body may hold secrets and are left out of its repr."""

    id: str
    method: str
    url: Secret
    timeout_s: float
    """Seconds for everything, from the lookup to the end of the answer."""
    headers: tuple[tuple[str, Secret], ...] = ()
    expect_status: tuple[int, ...] = (200,)
    expect_headers: tuple[tuple[str, str], ...] = ()
    """Headers that the answer has, each with a pattern found in its value."""
    expect_text: str = ""
    """A pattern found in the answer's body; "" for any body."""
    expect_bytes: int = 0
    """How many bytes the answer's body has at least."""
    max_body: int = MAX_BODY
    """The most bytes that are read of the answer."""
    hidden: tuple[Secret, ...] = field(default=())
    """Secrets that must not show even where the far side echoes them."""
    address_of: str = ""
    """The variables that the address is made of, for people; "" where it stands in the runbook as it is."""
    headers_of: str = ""
    """The variables that the headers are made of."""


class Prober(Protocol):
    """Makes HTTP requests; never raises."""

    async def fetch(self, check: HttpCheck) -> tuple[Sample, bytes]:
        """Return the sample and the start of the answer's body."""


class HttpProber:
    """Makes requests and never raises: every failure is a sample."""

    def __init__(
        self,
        resolver: Resolver,
        clock: Callable[[], datetime],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Import and open nothing yet.

        Args:
            resolver: Looks up host names.
            clock: The wall clock, aware UTC.
            ssl_context: How certificates are verified; by default as httpx does (certifi's, or
                SSL_CERT_FILE's), made once and shared.
        """
        self._resolver = resolver
        self._clock = clock
        self._ssl_context = ssl_context
        self._preparing: asyncio.Future[None] | None = None
        self._redactors: dict[HttpCheck, Redactor] = {}

    async def probe(self, check: HttpCheck) -> Sample:
        """Make one request and return its sample."""
        return (await self.fetch(check))[0]

    async def fetch(self, check: HttpCheck) -> tuple[Sample, bytes]:
        """Make one request; return its sample and the first `max_body` bytes of the answer's body."""
        try:
            await self._prepare()
            return await self._attempt(check, await self._redactor(check))
        except OwnFault as error:
            return Sample(check.id, self._clock(), False, str(error), ours=True), b""
        except Exception as error:
            # A defect of the console is a sample that says nothing. Its text may quote a header.
            _log.error("probe %s: internal error %s", check.id, type(error).__name__)
            return Sample(check.id, self._clock(), False, defect(error), ours=True), b""

    async def _prepare(self) -> None:
        """Import httpx and load the certificates once, in a thread: together some 0.2 s.

        Raises:
            OwnFault: The certificates cannot be loaded; the next request tries again.
        """
        done = self._preparing is not None and self._preparing.done()
        if self._preparing is None or (done and self._preparing.exception() is not None):
            self._preparing = asyncio.ensure_future(asyncio.to_thread(self._load))
        await asyncio.shield(self._preparing)

    def _load(self) -> None:
        importlib.import_module("isla_console.net.stream")
        if self._ssl_context is None:
            self._ssl_context = trusted()

    async def _redactor(self, check: HttpCheck) -> Redactor:
        """Return what hides this request's secrets; cached and made off the event loop: it is slow."""
        found = self._redactors.get(check)
        if found is None:
            hidden = (*check.hidden, *(value for _, value in check.headers))
            found = await asyncio.to_thread(redactor_of, hidden, _SHORTEST_HIDDEN)
            self._redactors[check] = found
        return found

    async def _attempt(self, check: HttpCheck, redactor: Redactor) -> tuple[Sample, bytes]:
        from isla_console.net.stream import Progress

        progress = Progress(asyncio.get_running_loop().time)
        body = bytearray()
        failure: Failure | None = None
        timed_out_ms: float | None = None
        try:
            async with asyncio.timeout(check.timeout_s):
                await self._exchange(check, progress, body)
        except TimeoutError:
            failure = Failure(f"timed out after {check.timeout_s:g} s {progress.doing}")
            timed_out_ms = check.timeout_s * 1000
        except Exception as error:
            failure = _failure(error, connected=progress.address is not None)
        progress.end()
        if failure is None and progress.status not in check.expect_status:
            failure = Failure(_unexpected(progress, check.expect_status), True)
        if failure is None and (short := await asyncio.to_thread(_shortcoming, check, progress, bytes(body))):
            failure = Failure(short, True)
        ours = failure is not None and failure.ours
        reason = redactor.text(failure.reason) if failure else ""
        sample = Sample(
            source=check.id,
            at=self._clock(),
            ok=failure is None,
            reason=reason if ours else brief(reason, 200),  # the cure of our own fault stands at its end
            phases=_phases(progress, bytes(body), redactor),
            reached=progress.address is not None or (failure is not None and failure.reached),
            timed_out_ms=timed_out_ms,
            ours=ours,
        )
        return sample, bytes(body)

    async def _exchange(self, check: HttpCheck, progress: Progress, body: bytearray) -> None:
        from isla_console.net.stream import exchange

        answer = exchange(_request(check), self._resolver, self._ssl_context, progress)
        async with aclosing(answer):
            async for part in answer:
                body += part[: check.max_body - len(body)]
                if len(body) >= check.max_body:
                    break


class _CannotSend(Exception):
    """The request cannot be made; the text is safe to show."""


@lru_cache(maxsize=64)
def _request(check: HttpCheck) -> Request:
    """Return the request, with the address' user and password as an Authorization header; cached.

    Raises:
        _CannotSend: It is not an address, or a header holds what a header cannot.
    """
    import h11
    import httpx

    from isla_console.net.stream import Request

    address = f"{check.address_of}: the address" if check.address_of else "the address"
    header = f"{check.headers_of}: a header" if check.headers_of else "a header"
    try:
        url = httpx.URL(check.url.reveal())
        if url.scheme not in {"http", "https"} or not url.host:
            raise _CannotSend(f"{address} is no http:// or https:// URL")
        headers = [("User-Agent", USER_AGENT), ("Accept", "*/*"), ("Accept-Encoding", "identity")]
        if url.userinfo:
            token = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
            headers.append(("Authorization", f"Basic {token}"))
            url = url.copy_with(username=None, password=None)
        given = {name.lower() for name, _ in check.headers}
        kept = [header for header in headers if header[0].lower() not in given]
        values = [(name, value.reveal()) for name, value in check.headers]
        built = httpx.Request(check.method, url, headers=[*kept, *values, ("Connection", "close")])
        head = h11.Request(method=built.method, target=url.raw_path, headers=built.headers.raw)
    except httpx.InvalidURL:
        raise _CannotSend(f"{address} is no URL") from None
    except UnicodeError:
        raise _CannotSend(f"{header} cannot be sent: it is not ASCII") from None
    except h11.LocalProtocolError:
        raise _CannotSend(f"{header} cannot be sent: it holds a line break or the like") from None
    tls = url.scheme == "https"
    return Request(tls, url.raw_host.decode("ascii"), url.port or (443 if tls else 80), head)


def _failure(error: BaseException, *, connected: bool) -> Failure:
    """Return what an exception means. Only our own texts are shown: another may quote what was sent."""
    from isla_console.net.stream import Unanswered

    if isinstance(error, _CannotSend):
        return Failure(str(error), ours=True)
    if isinstance(error, LookupFailed):
        return Failure(str(error))
    if isinstance(error, Unanswered):
        return Failure(str(error), True)
    if found := network_failure(error):
        return found
    if isinstance(error, OSError):
        return Failure("connection closed without an answer" if connected else "cannot connect", connected)
    return Failure(defect(error), ours=True)


def _unexpected(progress: Progress, expected: Iterable[int]) -> str:
    wanted = " or ".join(str(status) for status in expected)
    reason = f"{progress.status} instead of {wanted}"
    if progress.location:
        reason += f", redirects to {brief(progress.location, 80)}"
    return reason


_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def _shortcoming(check: HttpCheck, progress: Progress, body: bytes) -> str:
    """Return what an answer with the right status lacks to be a good one; "" where it lacks nothing."""
    if progress.status in _REDIRECTS:
        if not progress.location:
            return f"{progress.status} without a Location: it redirects nowhere"
        if _is_same(check.url.reveal(), progress.location):
            return f"{progress.status} to itself: a redirect that never ends"
    for name, pattern in check.expect_headers:
        value = progress.headers.get(name.lower().encode())
        if value is None:
            return f"{progress.status}, but without the header {brief(name, 40)}"
        if not found_in(pattern, value):
            return f"{progress.status}, but {brief(name, 40)} is {brief(value.decode('latin-1'), 60)}"
    if len(body) < check.expect_bytes:
        said = f"only {len(body)} bytes" if body else "empty"
        return f"{progress.status}, but the answer is {said}"
    if check.expect_text and not found_in(check.expect_text, body):
        return f"{progress.status}, but the answer has no {brief(check.expect_text, 40)}"
    return ""


def _is_same(url: str, location: str) -> bool:
    """Return whether a redirect leads back to the address it came from, whatever the spelling of both."""
    import httpx

    try:
        here, there = httpx.URL(url), httpx.URL(url).join(location)
    except (httpx.InvalidURL, ValueError):
        return False
    return _place(here) == _place(there)


def _place(url: httpx.URL) -> tuple[object, ...]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default, url.raw_path or b"/"


def _phases(progress: Progress, body: bytes, redactor: Redactor) -> Phases:
    location = progress.location
    return Phases(
        dns_ms=progress.dns_ms,
        connect_ms=progress.connect_ms,
        tls_ms=progress.tls_ms,
        first_byte_ms=progress.first_byte_ms,
        total_ms=progress.total_ms,
        address=str(progress.address) if progress.address else None,
        status=progress.status,
        location=None if location is None else brief(redactor.text(location), 200),
        cert_expires=_expiry(progress.certificate),
        server_time=http_date(progress.headers.get(b"date", b"").decode("latin-1")),
        retry_after_s=_seconds(progress.headers.get(b"retry-after")),
        content_type=progress.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0][:60],
        body_excerpt=brief(redactor.text(body[:1000].decode("utf-8", "replace")), 200),
    )


def _seconds(value: bytes | None) -> float | None:
    """Return Retry-After in seconds; None for its other form, a date."""
    text = (value or b"").strip()
    return float(text) if text.isdigit() and len(text) < 7 else None


def _expiry(certificate: dict[str, Any] | None) -> datetime | None:
    try:
        seconds = ssl.cert_time_to_seconds(str((certificate or {})["notAfter"]))
    except (KeyError, ValueError):
        return None
    return since_1970(seconds)
