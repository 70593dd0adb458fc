"""What holds for any incident, whatever happened in it and in whatever order it arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident, Ledger, fold
from isla_console.incident.report import report
from isla_console.incident.report.view import show
from isla_console.incident.rules.alarms import alarms
from isla_console.incident.rules.clocks import e_seconds, t_seconds
from isla_console.incident.rules.escalation import crossing_events, current_level
from tests.incident.story import ANA, BEN, START, Story

Act = Callable[[Incident, datetime], list[Event]]


def _acts() -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    states = st.sampled_from(["investigating", "identified", "mitigating", "monitoring"])
    severities = st.sampled_from(["P0", "P1", "P2", "P3"])
    levels = st.sampled_from(["L1", "L2", "L3", "L4"])
    audiences = st.sampled_from(["public", "internal"])
    return st.one_of(
        st.tuples(st.just("state"), st.tuples(states)),
        st.tuples(st.just("severity"), st.tuples(severities)),
        st.tuples(st.just("start"), st.tuples(st.integers(0, 24 * 60))),
        st.tuples(st.just("hold"), st.tuples(st.integers(1, 30))),
        st.tuples(st.just("end_hold"), st.just(())),
        st.tuples(st.just("ack"), st.tuples(levels)),
        st.tuples(st.just("waive"), st.tuples(levels)),
        st.tuples(st.just("escalate"), st.tuples(levels)),
        st.tuples(st.just("send"), st.tuples(audiences)),
        st.tuples(st.just("snooze"), st.tuples(audiences)),
        st.tuples(st.just("note"), st.tuples(st.text(max_size=20))),
        st.tuples(st.just("tick"), st.just(())),
        st.tuples(st.just("resolve"), st.just(())),
        st.tuples(st.just("reopen"), st.just(())),
        st.tuples(st.just("cancel"), st.just(())),
        st.tuples(st.just("due"), st.just(())),
    )


def _carry_out(name: str, arguments: Any, incident: Incident, now: datetime) -> list[Event]:
    by: dict[str, Any] = {"author": BEN, "now": now}
    acts: dict[str, Act] = {
        "state": lambda i, n: commands.change_state(i, arguments[0], reason="because", **by),
        "severity": lambda i, n: commands.change_severity(i, arguments[0], reason="because", **by),
        "start": lambda i, n: commands.adjust_start(
            i, i.declared_at - timedelta(minutes=arguments[0]), "seen in the logs", **by
        ),
        "hold": lambda i, n: commands.hold(i, "because", arguments[0], **by),
        "end_hold": lambda i, n: commands.end_hold(i, **by),
        "ack": lambda i, n: commands.acknowledge(i, arguments[0], "ben", **by),
        "waive": lambda i, n: commands.waive(i, arguments[0], "because", **by),
        "escalate": lambda i, n: commands.escalate(i, arguments[0], **by),
        "send": lambda i, n: commands.send_update(i, arguments[0], "We know.", **by),
        "snooze": lambda i, n: commands.snooze_update(i, arguments[0], 5, "because", **by),
        "note": lambda i, n: commands.note(i, arguments[0], **by),
        "tick": lambda i, n: commands.tick(i, "resolved", **by),
        "resolve": lambda i, n: commands.resolve(i, override="because", **by),
        "reopen": lambda i, n: commands.reopen(i, "because", **by),
        "cancel": lambda i, n: commands.cancel(i, "because", **by),
        "due": lambda i, n: crossing_events(i, n, author=ANA),
    }
    try:
        return acts[name](incident, now)
    except Refused:
        return []


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """The events of an incident in which people did this and that for some hours."""
    story = Story(draw(st.sampled_from(["P0", "P1", "P2", "P3"])))
    now = START
    for _ in range(draw(st.integers(0, 12))):
        now += timedelta(milliseconds=draw(st.integers(0, 40 * 60 * 1000)))
        name, arguments = draw(_acts())
        story.events += _carry_out(name, arguments, story.incident, now)
    return story.events


@given(stories(), st.randoms(use_true_random=False), st.integers(0, 600))
@settings(max_examples=50, deadline=None)
def test_any_order_and_any_duplication_folds_to_the_same(
    events: list[Event], random: Any, minutes: int
) -> None:
    now = START + timedelta(minutes=minutes)
    folded = fold(events)
    assert folded is not None
    shuffled = events + random.sample(events, random.randint(0, len(events)))
    random.shuffle(shuffled)
    again = fold(shuffled)
    assert again == folded
    assert show(again, now) == show(folded, now)
    assert report(again) == report(folded)

    ledger = Ledger()
    rest = list(shuffled)
    while rest:
        size = random.randint(1, len(rest))
        ledger.add(rest[:size])
        rest = rest[size:]
    assert ledger.incident == folded
    assert not ledger.add(events)


@given(stories(), st.lists(st.integers(-60, 900), min_size=2, max_size=8))
@settings(max_examples=50, deadline=None)
def test_clocks_and_ladder_never_run_backwards(events: list[Event], minutes: list[int]) -> None:
    incident = fold(events)
    assert incident is not None
    times = [START + timedelta(minutes=minute) for minute in sorted(minutes)]
    for earlier, later in pairwise(times):
        assert 0 <= e_seconds(incident, earlier) <= e_seconds(incident, later)
        assert t_seconds(incident, earlier) <= t_seconds(incident, later)
        order = [None, "L1", "L2", "L3", "L4"]
        before, after = current_level(incident, earlier), current_level(incident, later)
        assert order.index(before) <= order.index(after)


@given(stories(), st.lists(st.integers(0, 900), max_size=8))
@settings(max_examples=50, deadline=None)
def test_each_level_is_due_at_most_once_for_each_cause(events: list[Event], minutes: list[int]) -> None:
    for minute in sorted(minutes):
        now = START + timedelta(minutes=minute)
        incident = fold(events)
        assert incident is not None
        found = crossing_events(incident, now, author=ANA)
        assert [event.id for event in found] == [
            event.id for event in crossing_events(incident, now, author=BEN)
        ]
        events = events + found
    incident = fold(events)
    assert incident is not None
    counts = Counter((due.level, due.cause) for due in incident.level_dues)
    assert not counts or max(counts.values()) == 1
    assert all(due.due_at >= incident.declared_at for due in incident.level_dues)


@given(stories(), st.lists(st.integers(0, 900), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_an_alarm_rings_once(events: list[Event], minutes: list[int]) -> None:
    incident = fold(events)
    assert incident is not None
    rung: set[str] = set()
    parts: list[str] = []
    for minute in sorted(minutes):
        now = START + timedelta(minutes=minute)
        for alarm in alarms(incident, now, rung):
            assert alarm.at <= now
            rung.add(alarm.key)
            parts += [part for part in alarm.key.split("|") if part not in parts]
        assert alarms(incident, now, rung) == ()
