"""HTTP probes against real sockets: good ones, and each kind of bad one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from isla_console.monitor.http.inputs import Inputs
from isla_console.monitor.http.prober import MAX_BODY, USER_AGENT, HttpProber
from isla_console.net.lookup import Resolver
from isla_console.runbook.steps import Input
from isla_console.settings.resolve import Settings
from isla_console.settings.secret import Secret
from tests.support.pace import slowness
from tests.support.servers import Endpoints, check, free_port, utcnow

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def test_a_good_answer_is_timed_phase_by_phase(endpoints: Endpoints, prober: HttpProber) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.12)
        writer.write(OK[:40])
        await writer.drain()
        await asyncio.sleep(0.08)
        writer.write(OK[40:])

    port = await endpoints.port(handler)
    sample = await prober.probe(check(f"http://localhost:{port}/"))
    phases = sample.phases
    assert phases is not None
    assert (sample.ok, sample.reason, sample.reached) == (True, "", True)
    assert (phases.status, phases.address, phases.body_excerpt) == (200, f"127.0.0.1:{port}", "hello")
    assert phases.tls_ms is None
    assert phases.cert_expires is None
    assert phases.dns_ms is not None
    assert phases.connect_ms is not None
    assert phases.first_byte_ms is not None
    assert phases.server_ms is not None
    assert phases.total_ms is not None
    assert 0 <= phases.connect_ms < 3000
    assert 115 <= phases.first_byte_ms < 4000
    assert phases.server_ms == phases.first_byte_ms - phases.connect_ms
    parts = phases.dns_ms + phases.connect_ms + phases.first_byte_ms
    assert parts + 70 <= phases.total_ms < parts + 5000
    assert abs(sample.at - datetime.now(UTC)) < timedelta(seconds=5)


async def test_what_is_sent(endpoints: Endpoints, prober: HttpProber) -> None:
    requests: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)

    port = await endpoints.port(handler)
    url = f"http://user:pa%40ss@127.0.0.1:{port}/rest/v1/?a=b%20c"
    await prober.probe(check(url, headers=(("apikey", Secret("key-123456")),)))
    head = requests[0].decode()
    assert head.startswith("GET /rest/v1/?a=b%20c HTTP/1.1\r\n")
    for line in (
        f"Host: 127.0.0.1:{port}",
        f"User-Agent: {USER_AGENT}",
        "Accept-Encoding: identity",
        "apikey: key-123456",
        "Authorization: Basic dXNlcjpwYUBzcw==",
        "Connection: close",
    ):
        assert line in head.split("\r\n")


async def test_an_expected_401_is_healthy(endpoints: Endpoints, prober: HttpProber) -> None:
    url = await endpoints.answers(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
    assert (await prober.probe(check(url, expect_status=(200, 401)))).ok
    sample = await prober.probe(check(url))
    assert (sample.ok, sample.reason, sample.reached) == (False, "401 instead of 200", True)


async def test_a_redirect_is_an_answer_and_is_not_followed(endpoints: Endpoints, prober: HttpProber) -> None:
    hits = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal hits
        hits += 1
        await reader.readuntil(b"\r\n\r\n")
        # A circle: it leads to itself.
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /\x1b[31m\r\nContent-Length: 0\r\n\r\n")

    url = await endpoints.url(handler)
    sample = await prober.probe(check(url))
    assert not sample.ok
    assert sample.reason.startswith("302 instead of 200, redirects to /")
    assert "\x1b" not in sample.reason
    assert sample.phases is not None
    assert sample.phases.location == "/␛[31m"
    assert (await prober.probe(check(url, expect_status=(301, 302)))).ok
    assert hits == 2


async def test_head_has_no_body_to_wait_for(endpoints: Endpoints, prober: HttpProber) -> None:
    from dataclasses import replace

    url = await endpoints.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    assert (await prober.probe(replace(check(url), method="HEAD"))).ok


BAD_ANSWERS = {
    b"\x00\xff\x1b[2J garbage\r\n\r\n": "the answer is no HTTP",
    b"220 mail.example ESMTP\r\n\r\n": "the answer is no HTTP",
    b"HTTP/1.1 200 OK\r\n": "connection closed in the middle of the answer",
    b"HTTP/1.1 9999 X\r\n\r\n": "the answer is no HTTP",
    b"": "connection closed without an answer",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort": "connection closed in the middle of the answer",
    b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000: "headers larger than 100 KiB",
}


@pytest.mark.parametrize(("answer", "reason"), BAD_ANSWERS.items(), ids=BAD_ANSWERS.values())
async def test_bad_answers(endpoints: Endpoints, prober: HttpProber, answer: bytes, reason: str) -> None:
    sample = await prober.probe(check(await endpoints.answers(answer)))
    assert (sample.ok, sample.reason, sample.reached) == (False, reason, True)


async def test_refused_and_reset(endpoints: Endpoints, prober: HttpProber) -> None:
    sample = await prober.probe(check(f"http://127.0.0.1:{free_port()}/"))
    assert (sample.reason, sample.reached) == ("connection refused", True)

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        import socket
        import struct

        await reader.readuntil(b"\r\n\r\n")
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    sample = await prober.probe(check(await endpoints.url(reset)))
    assert (sample.reason, sample.reached) == ("connection reset", True)


async def drip_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def drip_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def interim(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("handler", "doing"),
    [
        (never, "waiting for the answer"),
        (drip_headers, "waiting for the answer"),
        (drip_body, "reading the answer"),
        (interim, "waiting for the answer"),
    ],
    ids=["hang", "endless headers", "slow body", "endless 100 Continue"],
)
async def test_what_never_ends_is_cut_off_on_time(
    endpoints: Endpoints, prober: HttpProber, handler: object, doing: str
) -> None:
    url = await endpoints.url(handler)  # type: ignore[arg-type]
    started = time.monotonic()
    sample = await prober.probe(check(url, 1))
    assert time.monotonic() - started < 10 * slowness()
    assert (sample.ok, sample.reason) == (False, f"timed out after 1 s {doing}")
    assert (sample.timed_out_ms, sample.reached) == (1000, True)


async def test_a_gigabyte_is_read_64_kib_deep(endpoints: Endpoints, prober: HttpProber) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        block = b"\x1b]0;x\x07" * 10_000
        while sent < 2**30:
            writer.write(block)
            await writer.drain()
            sent += len(block)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sample, body = await prober.fetch(check(await endpoints.url(flood)))
    assert sample.ok
    assert len(body) == MAX_BODY
    assert sent < 64 * 2**20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert sample.phases is not None
    assert sample.phases.body_excerpt.startswith("␛]0;x")
    assert len(sample.phases.body_excerpt) <= 200


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "the address is no http:// or https:// URL"),
        ("ftp://example.com/", "the address is no http:// or https:// URL"),
        ("app.isla.link", "the address is no http:// or https:// URL"),
        ("http://[::bad/", "the address is no URL"),
        ("http://user:sec/ret@host/", "the address is no URL"),
        ("http://\x00/", "the address is no URL"),
        ("http://nowhere.invalid/", "no such name"),
    ],
)
async def test_addresses_that_lead_nowhere(prober: HttpProber, url: str, reason: str) -> None:
    sample = await prober.probe(check(url))
    assert not sample.ok
    assert not sample.reached
    if reason == "no such name":  # or whatever this machine's resolver says without a network
        assert "name" in sample.reason
    else:
        assert sample.reason == reason


async def test_what_cannot_be_sent_names_the_settings_that_it_is_made_of(prober: HttpProber) -> None:
    """It is our own fault, and whoever reads it must know what to set anew."""
    declared = {
        "APP": Input(title="App", env="ISLA_APP", type="url"),
        "KEY": Input(title="Key", env="ISLA_KEY", secret=True),
    }
    for values, reason in (
        ({"ISLA_APP": "htp:/x y", "ISLA_KEY": "k"}, "ISLA_APP: the address is no http:// or https:// URL"),
        ({"ISLA_APP": "http://[::1", "ISLA_KEY": "k"}, "ISLA_APP: the address is no URL"),
        (
            {"ISLA_APP": "http://h", "ISLA_KEY": "k\u4e00"},
            "ISLA_KEY: a header cannot be sent: it is not ASCII",
        ),
        (
            {"ISLA_APP": "http://h", "ISLA_KEY": "k\nx"},
            "ISLA_KEY: a header cannot be sent: it holds a line break or the like",
        ),
    ):
        inputs = Inputs(declared, Settings.load({"HOME": "/nonexistent", **values}))
        made, missing = inputs.request("probe", "GET", "${APP}/health", {"X-Key": "${KEY}"}, 1.0)
        assert missing == ()
        assert made is not None
        sample = await prober.probe(made)
        assert (sample.reason, sample.reached, sample.ours) == (reason, False, True)


async def test_a_secret_is_never_in_a_sample(
    endpoints: Endpoints, prober: HttpProber, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = Secret("sk-very-secret-1234")
    text = secret.reveal().encode()
    echo = await endpoints.answers(
        b"HTTP/1.1 302 Found\r\nLocation: /?k=" + text + b"\r\nContent-Length: 19\r\n\r\n" + text
    )
    request = check(echo, headers=(("apikey", secret),))
    bad_header = check(echo, headers=(("apikey", Secret("sk-very-secret-1234\r\nX: 1")),))
    not_ascii = check(echo, headers=(("apikey", Secret("sk-very-secret-1234é")),))
    for probe in (request, bad_header, not_ascii):
        sample = await prober.probe(probe)
        assert not sample.ok
        assert "very-secret" not in repr(sample)
        assert "very-secret" not in repr(probe)
    logged = [record for record in caplog.records if record.name.startswith("isla_console")]
    assert not any("very-secret" in record.getMessage() for record in logged)


class TestTls:
    @pytest.fixture(scope="class")
    def authority(self) -> trustme.CA:
        return trustme.CA()

    async def serve(self, endpoints: Endpoints, certificate: trustme.LeafCert) -> int:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()

        return await endpoints.port(handler, ssl=context)

    def trusting(self, authority: trustme.CA) -> HttpProber:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return HttpProber(Resolver(), utcnow, ssl_context=context)

    async def test_the_handshake_and_the_expiry(self, endpoints: Endpoints, authority: trustme.CA) -> None:
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=12)
        port = await self.serve(endpoints, authority.issue_cert("localhost", not_after=expires))
        sample = await self.trusting(authority).probe(check(f"https://localhost:{port}/"))
        assert (sample.ok, sample.reason) == (True, "")
        assert sample.phases is not None
        assert sample.phases.cert_expires == expires
        assert sample.phases.tls_ms is not None
        assert sample.phases.tls_ms > 0

    async def test_an_expired_certificate(self, endpoints: Endpoints, authority: trustme.CA) -> None:
        expired = authority.issue_cert("localhost", not_after=datetime.now(UTC) - timedelta(days=1))
        port = await self.serve(endpoints, expired)
        sample = await self.trusting(authority).probe(check(f"https://localhost:{port}/"))
        assert (sample.reason, sample.reached) == ("certificate refused: certificate has expired", True)

    async def test_a_certificate_for_another_name(self, endpoints: Endpoints, authority: trustme.CA) -> None:
        port = await self.serve(endpoints, authority.issue_cert("elsewhere.example"))
        sample = await self.trusting(authority).probe(check(f"https://localhost:{port}/"))
        assert sample.reason.startswith("certificate refused: Hostname mismatch")

    async def test_an_unknown_authority(
        self, endpoints: Endpoints, authority: trustme.CA, prober: HttpProber
    ) -> None:
        port = await self.serve(endpoints, authority.issue_cert("localhost"))
        sample = await prober.probe(check(f"https://localhost:{port}/"))
        assert sample.reason.startswith("certificate refused: ")

    async def test_plain_http_on_the_tls_port(self, endpoints: Endpoints, prober: HttpProber) -> None:
        async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()

        port = await endpoints.port(plain)
        sample = await prober.probe(check(f"https://127.0.0.1:{port}/"))
        assert sample.reason == "TLS failed: wrong version number"

    async def test_a_handshake_that_hangs(self, endpoints: Endpoints, prober: HttpProber) -> None:
        port = await endpoints.port(never)
        sample = await prober.probe(check(f"https://127.0.0.1:{port}/", 0.3))
        assert sample.reason == "timed out after 0.3 s in the TLS handshake"


async def test_a_hanging_name_server_holds_up_nobody_else(
    endpoints: Endpoints, prober: HttpProber, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    real = socket.getaddrinfo
    asked: list[str] = []
    released = threading.Event()

    def slow(host: str, *arguments: object, **options: object) -> object:
        asked.append(host)
        if host == "slow.example":
            released.wait(20)
        return real(host, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    good = await endpoints.answers(OK)
    started = time.monotonic()
    samples = await asyncio.gather(*(prober.probe(check("http://slow.example/", 0.2)) for _ in range(20)))
    assert {sample.reason for sample in samples} == {"timed out after 0.2 s looking up the name"}
    assert not any(sample.reached for sample in samples)
    assert asked == ["slow.example"]
    assert (await prober.probe(check(good.replace("127.0.0.1", "localhost")))).ok
    assert time.monotonic() - started < 10 * slowness()
    released.set()


async def test_being_cancelled_is_prompt_and_leaves_nothing(endpoints: Endpoints, prober: HttpProber) -> None:
    url = await endpoints.url(never)
    before = asyncio.all_tasks()
    tasks = [asyncio.create_task(prober.probe(check(url, 30))) for _ in range(5)]
    await asyncio.sleep(0.1)
    started = time.monotonic()
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)
    assert time.monotonic() - started < 5 * slowness()
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() - before if "probe" in repr(task)]


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of an answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["", "/", "{url}", "HTTP://127.0.0.1:{port}/", "{url}#part", "//127.0.0.1:{port}"]
)
async def test_a_redirect_to_itself_is_no_good_answer(
    endpoints: Endpoints, prober: HttpProber, status: int, location: str
) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        where = location.format(url=f"http://127.0.0.1:{port}/", port=port)
        writer.write(answer(f"{status} Moved", f"Location: {where}"))

    port = await endpoints.port(handler)
    sample = await prober.probe(check(f"http://127.0.0.1:{port}/", expect_status=(status,)))
    wanted = (
        "to itself: a redirect that never ends" if location else "without a Location: it redirects nowhere"
    )
    assert (sample.ok, sample.reason, sample.reached) == (False, f"{status} {wanted}", True)


@pytest.mark.parametrize(
    "location", ["https://127.0.0.1/", "/other", "?x=1", "http://127.0.0.1:1/", "https://example.com/"]
)
async def test_a_redirect_elsewhere_is_one(endpoints: Endpoints, prober: HttpProber, location: str) -> None:
    url = await endpoints.answers(answer("302 Found", f"Location: {location}"))
    assert (await prober.probe(check(url, expect_status=(302,)))).ok


async def test_a_redirect_that_was_not_expected_is_told_as_such(
    endpoints: Endpoints, prober: HttpProber
) -> None:
    url = await endpoints.answers(answer("302 Found", "Location: /"))
    assert (await prober.probe(check(url))).reason == "302 instead of 200, redirects to /"


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({}, ""),
        ({"expect_bytes": 2}, ""),
        ({"expect_bytes": 3}, "200, but the answer is only 2 bytes"),
        ({"expect_text": "^ok$"}, ""),
        ({"expect_text": "(o+)+n"}, "200, but the answer has no (o+)+n"),
        ({"expect_headers": (("X-Up", "yes|no"),)}, ""),
        ({"expect_headers": (("x-up", "^n"),)}, "200, but x-up is yes"),
        ({"expect_headers": (("X-Down", "."),)}, "200, but without the header X-Down"),
    ],
)
async def test_what_a_good_answer_is(
    endpoints: Endpoints, prober: HttpProber, wanted: dict[str, Any], reason: str
) -> None:
    url = await endpoints.answers(answer("200 OK", "X-Up: yes", body=b"ok"))
    sample = await prober.probe(check(url, **wanted))
    assert (sample.ok, sample.reason) == (not reason, reason)


async def test_an_empty_answer_is_not_one_that_has_a_body(endpoints: Endpoints, prober: HttpProber) -> None:
    url = await endpoints.answers(answer("200 OK"))
    assert (await prober.probe(check(url))).ok
    sample = await prober.probe(check(url, expect_bytes=1))
    assert (sample.ok, sample.reason, sample.reached) == (False, "200, but the answer is empty", True)
