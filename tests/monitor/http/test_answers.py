"""JSON of other people's APIs: each refusal has its sentence, and who says "too often" is left alone."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from isla_console.monitor.http.answers import MAX_JSON, Polite
from isla_console.monitor.http.prober import HttpProber
from isla_console.monitor.metrics.sample import Phases, Sample
from tests.support.servers import Endpoints, check, utcnow

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)

ANSWERS = {
    "401": (b"HTTP/1.1 401 Unauthorized\r\n", b"{}", "401, it does not accept our token"),
    "403": (b"HTTP/1.1 403 Forbidden\r\n", b"{}", "403, the token may not read this"),
    "429": (b"HTTP/1.1 429 Too Many\r\n", b"{}", "429, we asked too often: again in 1 min"),
    "429 with Retry-After": (
        b"HTTP/1.1 429 Too Many\r\nRetry-After: 30\r\n",
        b"{}",
        "429, we asked too often: again in 30 s, as it asks",
    ),
    "500": (b"HTTP/1.1 500 Oops\r\n", b"{}", "500, it is in trouble itself"),
    "HTML": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n",
        b"<html></html>",
        "answered with a web page, not with data",
    ),
    "not JSON": (b"HTTP/1.1 200 OK\r\n", b"{", "the answer is no JSON"),
    "too large": (
        b"HTTP/1.1 200 OK\r\n",
        json.dumps(["x" * 60_000] * 20).encode(),
        "the answer is larger than 1024 KiB",
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_each_bad_answer_has_its_sentence(endpoints: Endpoints, prober: HttpProber, case: str) -> None:
    head, body, sentence = ANSWERS[case]
    url = await endpoints.answers(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    polite = Polite(prober, asyncio.get_running_loop().time)
    found, answer = await polite.ask(check(url, max_body=MAX_JSON), utcnow())
    assert (answer, found.ok, found.reason) == (None, False, sentence)


async def test_a_token_that_is_refused_is_named(endpoints: Endpoints, prober: HttpProber) -> None:
    url = await endpoints.answers(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    found, _ = await Polite(prober, lambda: 0.0).ask(check(url), utcnow(), credential="VERCEL_TOKEN")
    assert found.reason == "403, the token may not read this: look at VERCEL_TOKEN"


async def test_a_thirty_second_answer_is_given_up(endpoints: Endpoints, prober: HttpProber) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    found, _ = await Polite(prober, lambda: 0.0).ask(check(await endpoints.url(hang), 0.3), utcnow())
    assert found.reason == "timed out after 0.3 s waiting for the answer"


async def test_after_a_429_nobody_is_asked_until_the_time_is_over() -> None:
    class Counting:
        asked = 0

        async def fetch(self, check: object) -> tuple[Sample, bytes]:
            self.asked += 1
            return Sample("v", NOW, False, "", Phases(status=429, retry_after_s=30)), b""

    prober, now = Counting(), [0.0]
    polite = Polite(prober, lambda: now[0])
    for now[0] in (0.0, 10.0, 29.0):
        found, _ = await polite.ask(check("http://x"), NOW)
        assert found.reason == "429, we asked too often: again in 30 s, as it asks"
    assert prober.asked == 1
    now[0] = 31.0
    await polite.ask(check("http://x"), NOW)
    assert prober.asked == 2
