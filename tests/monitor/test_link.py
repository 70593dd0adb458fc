"""Blind only when all targets fail twice in a row and no probe was answered meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from isla_console.monitor.link import LinkProbe, LinkSample, LinkTracker, link_plan, parse_targets
from isla_console.net.lookup import Resolver
from isla_console.runbook.watch import LinkCheck
from isla_console.settings.resolve import Settings
from tests.support.servers import Endpoints, at, free_port


def failed(seconds: float) -> LinkSample:
    return LinkSample(at(seconds), None, "1.1.1.1:443 timed out")


def fine(seconds: float) -> LinkSample:
    return LinkSample(at(seconds), 12.0)


def test_two_failures_in_a_row_are_blind_and_one_success_is_not() -> None:
    tracker = LinkTracker()
    tracker.observe(fine(0))
    tracker.observe(failed(5))
    assert (tracker.reading().state, tracker.suspect) == ("ok", True)
    tracker.observe(failed(10))
    assert (tracker.blind, tracker.reading().since, tracker.reading().ms) == (True, at(10), None)
    tracker.observe(fine(15))
    assert (tracker.reading().state, tracker.reading().ms, tracker.suspect) == ("ok", 12.0, False)


def test_one_failure_between_successes_is_not_blind() -> None:
    tracker = LinkTracker()
    for seconds in range(0, 40, 10):
        tracker.observe(fine(seconds))
        tracker.observe(failed(seconds + 5))
        assert not tracker.blind


def test_an_answer_to_a_probe_proves_the_link() -> None:
    tracker = LinkTracker()
    for seconds in range(0, 100, 5):
        tracker.observe(failed(seconds))
        tracker.answered(at(seconds + 1))
        assert (tracker.blind, tracker.suspect) == (False, False)


def test_an_answer_from_before_the_failures_proves_nothing() -> None:
    tracker = LinkTracker()
    tracker.answered(at(1))
    tracker.observe(failed(5))
    tracker.observe(failed(10))
    assert tracker.blind


def test_an_answer_while_blind_ends_it_at_once() -> None:
    tracker = LinkTracker()
    tracker.observe(failed(5))
    tracker.observe(failed(10))
    tracker.answered(at(11))
    assert tracker.reading().state == "ok"
    tracker.observe(failed(15))
    assert tracker.reading().state == "ok"
    tracker.observe(failed(20))
    assert tracker.blind


async def test_the_fastest_target_is_measured(endpoints: Endpoints) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    good = await endpoints.port(accept)
    probe = LinkProbe((("127.0.0.1", free_port()), ("127.0.0.1", good)), 1, Resolver())
    ms, reason, ours = await probe.check()
    assert ms is not None
    assert 0 < ms < 500
    assert (reason, ours) == ("", False)


async def test_when_none_answers_it_says_why() -> None:
    port = free_port()
    probe = LinkProbe((("127.0.0.1", port), ("nowhere.invalid", 443)), 2, Resolver())
    ms, reason, ours = await probe.check()
    assert ms is None
    assert f"127.0.0.1:{port}: connection refused" in reason
    assert "nowhere.invalid:443: " in reason
    assert not ours


@pytest.mark.parametrize(
    ("text", "targets", "problem"),
    [
        ("1.1.1.1:443, dns.google:53", (("1.1.1.1", 443), ("dns.google", 53)), ""),
        ("[2606:4700::1111]:443", (("2606:4700::1111", 443),), ""),
        ("", (), ""),
        ("1.1.1.1", (), "1.1.1.1 is no host:port"),
        ("a:0,b:99999,c:x", (), "a:0 is no host:port; b:99999 is no host:port; c:x is no host:port"),
        ("\x1b[31m:1", (("\x1b[31m", 1),), ""),
    ],
)
def test_targets_are_read(text: str, targets: tuple[tuple[str, int], ...], problem: str) -> None:
    assert parse_targets(text.split(",")) == (targets, problem)


@pytest.mark.parametrize(
    ("given", "unset"),
    [(",", "set ISLA_LINK_CHECK"), ("nonsense", "ISLA_LINK_CHECK: nonsense is no host:port")],
)
def test_a_link_without_targets_is_unknown(given: str, unset: str) -> None:
    check = LinkCheck(targets=("example.org:443",))
    plan = link_plan(check, Settings.load({"HOME": "/nowhere", "ISLA_LINK_CHECK": given}))
    assert (plan.targets, plan.unset) == ((), unset)


def test_targets_of_ones_own_replace_the_runbooks() -> None:
    settings = Settings.load({"HOME": "/nowhere", "ISLA_LINK_CHECK": "127.0.0.1:53,127.0.0.1:54"})
    plan = link_plan(LinkCheck(targets=("example.org:443",), every_s=1, timeout_s=5), settings)
    assert plan.targets == (("127.0.0.1", 53), ("127.0.0.1", 54))
    assert plan.timeout_s == 0.9
