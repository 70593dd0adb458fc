"""A fault of our own is never a sample about the platform: it makes things unknown and is said once."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import certifi
import pytest

from isla_console.monitor.link import LinkSample, LinkTracker
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.monitor import Transition
from isla_console.monitor.stripe.client import StripeReader, StripeUnavailable
from isla_console.net.failures import OwnFault, network_failure
from isla_console.settings.secret import Secret
from tests.monitor.test_poller import FakeHttp, answer, latency, make, probe, running
from tests.support.servers import Endpoints, at, utcnow
from tests.support.sources import a_context, a_metric
from tests.support.waiting import until

USUAL = Path(certifi.where()).read_text()
RATE = {
    "id": "errors",
    "title": "Error rate",
    "better": "lower",
    "short": "Errors",
    "unit": "%",
    "every_s": 0.1,
    "normal": "< 0.1 %",
    "alert": "> 1 %",
    "source": {"kind": "error_rate", "aggregate": "rate", "window_s": 60},
}


async def test_a_certificate_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ca.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    changes: list[Transition] = []
    poller = make(
        tmp_path,
        probes=[probe("fast", timeout_s=0.09), probe("slow", timeout_s=0.09)],
        metrics=[latency(), RATE],
        environ={"ISLA_APP_URL": "https://127.0.0.1:9"},
        on_change=changes.append,
    )
    async with running(poller):
        await until(lambda: bool(poller.snapshot(utcnow()).faults))
        reason = f"SSL_CERT_FILE names {path}, which cannot be read (no such file or directory)"
        for _ in range(3):
            await poller.ask_all()
        live = poller.snapshot(utcnow())
        assert [one.startswith(reason) for one in live.faults] == [True]
        assert {one.state for one in (*live.probes, *live.metrics)} == {"unknown"}
        assert all(one.reason.startswith(reason) for one in (*live.probes, *live.metrics))
        assert not [change for change in changes if change.kind != "link"]
        path.write_text(USUAL)
        await until(lambda: not poller.snapshot(utcnow()).faults)


async def test_what_worked_before_turns_unknown_rather_than_stale(tmp_path: Path) -> None:
    http = FakeHttp()
    poller = make(
        tmp_path,
        probes=[probe("fast")],
        metrics=[latency(), RATE],
        environ={"ISLA_APP_URL": "http://a"},
        http=http,
    )
    async with running(poller):
        await until(lambda: {one.state for one in poller.snapshot(utcnow()).metrics} == {"ok"})
        http.behaviour["fast"] = "raise"
        await until(lambda: poller.snapshot(utcnow()).probes[0].state != "ok")
        await until(lambda: "ok" not in {one.state for one in poller.snapshot(utcnow()).metrics})
        live = poller.snapshot(utcnow())
        assert {one.state for one in (*live.probes, *live.metrics)} == {"unknown"}
        assert live.faults == ("a defect of this console: RuntimeError",)
        http.behaviour["fast"] = "ok"
        await until(lambda: {one.state for one in poller.snapshot(utcnow()).metrics} == {"ok"})
        assert not poller.snapshot(utcnow()).faults


async def test_one_probe_that_cannot_be_sent_is_no_error_of_the_platform(
    tmp_path: Path, endpoints: Endpoints
) -> None:
    """A header with a line break in a value of ours: that request is never made."""
    url = await endpoints.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    poller = make(
        tmp_path,
        probes=[
            probe("fast", every_s=1, timeout_s=0.9),
            probe("odd", every_s=1, timeout_s=0.9, headers={"X-Key": "${APP_URL}\r\nX-More: 1"}),
        ],
        metrics=[RATE],
        environ={"ISLA_APP_URL": url},
    )
    async with running(poller):
        await until(lambda: poller.snapshot(utcnow()).probes[0].state == "ok")
        await until(lambda: bool(poller.snapshot(utcnow()).probes[1].reason))
        for _ in range(4):
            await poller.ask_all()
        live = poller.snapshot(utcnow())
    assert live.probes[1].state == "unknown"
    assert (live.metrics[0].state, live.metrics[0].value) == ("ok", 0)
    assert live.faults == (live.probes[1].reason,)


@pytest.mark.parametrize(
    "number",
    [
        errno.EMFILE,
        errno.ENFILE,
        errno.EACCES,
        errno.EPERM,
        errno.EADDRNOTAVAIL,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EAFNOSUPPORT,
    ],
)
def test_what_this_machine_cannot_do_is_ours(number: int) -> None:
    found = network_failure(OSError(number, "x"))
    assert found is not None
    assert (found.ours, found.reached) == (True, False)


@pytest.mark.parametrize(
    "number", [errno.ECONNREFUSED, errno.ECONNRESET, errno.ENETUNREACH, errno.EHOSTUNREACH]
)
def test_what_the_network_says_is_not(number: int) -> None:
    found = network_failure(OSError(number, "x"))
    assert found is not None
    assert not found.ours


def test_our_own_fault_is_found_among_causes() -> None:
    try:
        try:
            raise OwnFault("ALL_PROXY names a socks5 proxy")
        except OwnFault as error:
            raise ConnectionError("x") from error
    except ConnectionError as error:
        found = network_failure(error)
    assert found is not None
    assert (found.reason, found.ours) == ("ALL_PROXY names a socks5 proxy", True)


def test_a_link_that_cannot_be_checked_is_not_down() -> None:
    tracker = LinkTracker()
    tracker.observe(LinkSample(at(0), 12.0))
    for seconds in (5, 10, 15):
        tracker.observe(LinkSample(at(seconds), None, "too many open files in this console", ours=True))
        assert not tracker.blind
        assert not tracker.suspect
    reading = tracker.reading()
    assert (reading.state, reading.reason) == ("unknown", "too many open files in this console")
    tracker.observe(LinkSample(at(20), 12.0))
    assert tracker.reading().state == "ok"


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:9", "http://127.0.0.1:9"])
async def test_a_proxy_that_cannot_be_used_is_not_stripes_trouble(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    monkeypatch.setenv("ALL_PROXY", value)
    reader = StripeReader(Secret("rk_test_x"), "https://stripe.invalid", utcnow, timeout_s=5)
    sample = await reader.rate("payments", 3600)
    await reader.close()
    assert (sample.ok, sample.ours) == (False, True)
    assert "HTTPS_PROXY names" in sample.reason


async def test_a_key_that_is_refused_is_our_setting(endpoints: Endpoints) -> None:
    url = await endpoints.answers(
        b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"
        b'{"error": {"message": "no", "type": "invalid_re"}}'
    )
    reader = StripeReader(Secret("rk_test_x"), url, utcnow, timeout_s=5)
    sample = await reader.rate("payments", 3600)
    await reader.close()
    assert (sample.ours, sample.reason) == (True, "Stripe refuses the key (401): look at STRIPE_API_KEY")
    assert StripeUnavailable("x").ours is False


@pytest.mark.parametrize("kind", ["http_json", "prometheus", "openmetrics"])
async def test_a_token_that_is_refused_is_our_setting(kind: str, endpoints: Endpoints) -> None:
    url = await endpoints.answers(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    needs = {"http_json": {"select": "v"}, "prometheus": {"query": "up"}, "openmetrics": {"metric": "up"}}
    headers = {"Authorization": "Bearer ${VERCEL_TOKEN}"}
    source: dict[str, Any] = {"kind": kind, "url": "${APP_URL}", "headers": headers} | needs[kind]
    metric = a_metric(a_context({"ISLA_APP_URL": url, "VERCEL_TOKEN": "t0ken-t0ken"}), source)
    sample = await metric.ask()
    assert (sample.ours, sample.reason) == (True, "403, our token is refused: look at VERCEL_TOKEN")
    plain = a_metric(a_context({"ISLA_APP_URL": url}), source | {"headers": {}})
    assert not (await plain.ask()).ours, "without a token of ours it is the far side's word"


SOURCES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"kind": "http_json", "url": "${APP_URL}/x", "select": "value"}, {"ISLA_APP_URL": "http://a"}),
    ({"kind": "prometheus", "url": "${APP_URL}", "query": "up"}, {"ISLA_APP_URL": "http://a"}),
    ({"kind": "postgres", "query": "SELECT 1"}, {"ISLA_DATABASE_URL": "postgresql://a:b@c/d"}),
    ({"kind": "stripe"}, {"STRIPE_API_KEY": "rk_test_x"}),
]


@pytest.mark.parametrize(("source", "environ"), SOURCES, ids=[one["kind"] for one, _ in SOURCES])
def test_each_kind_of_metric_turns_unknown(source: dict[str, Any], environ: dict[str, str]) -> None:
    metric = a_metric(a_context(environ), source)
    fault = Sample(metric.id, at(20), False, "too many open files in this console", ours=True)
    metric.observe(Sample(metric.id, at(0), True, values={"value": 1.0}, reached=True))
    assert metric.reading(at(0)).state == "ok"
    metric.observe(fault)
    assert metric.reading(at(14)).state == "ok", "what was measured holds for its time"
    late = metric.reading(at(100))
    assert (late.state, late.reason) == ("unknown", fault.reason)
    metric.observe(Sample(metric.id, at(101), False, "500 instead of 200", reached=True))
    assert metric.reading(at(200)).state == "stale"
    assert answer("x", at(0)).counts
