"""An answer that has to say of itself that all is well: read to the end, whatever its size, or not judged."""

from __future__ import annotations

import json

import pytest

from isla_console.monitor.http.answers import MAX_JSON
from isla_console.monitor.http.prober import HttpProber
from isla_console.monitor.metrics.sample import Sample
from tests.support.servers import Endpoints
from tests.support.sources import a_context, all_sources


async def asked(endpoints: Endpoints, prober: HttpProber, status: str, size: int) -> Sample:
    """What a probe with `healthy` makes of an answer of so many bytes."""
    body = json.dumps({"status": status, "pad": "x" * size}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    url = await endpoints.answers(head + body)
    check = {"id": "a", "title": "a", "url": url, "every_s": 5, "timeout_s": 2, "healthy": "status == 'ok'"}
    context = a_context({"ISLA_APP_URL": url}, http=prober)
    (probe, *_) = [one for one in all_sources(context, health_checks=[check]).probes if one.id == "a"]
    return await probe.ask()


@pytest.mark.parametrize("size", [0, 70_000, MAX_JSON - 1000])
async def test_a_large_answer_is_read_to_its_end(endpoints: Endpoints, prober: HttpProber, size: int) -> None:
    sample = await asked(endpoints, prober, "ok", size)
    assert (sample.ok, sample.reason) == (True, "")
    sample = await asked(endpoints, prober, "bad", size)
    assert (sample.ok, sample.ours) == (False, False)


async def test_one_that_is_too_large_for_us_says_nothing_of_the_platform(
    endpoints: Endpoints, prober: HttpProber
) -> None:
    sample = await asked(endpoints, prober, "ok", MAX_JSON)
    assert (sample.ok, sample.ours) == (False, True)
    assert sample.reason == "its answer is larger than 1024 KiB, more than this console reads"
