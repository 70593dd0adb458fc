"""Numbers and times that no clock can use: refused at the door, and harmless where they are already."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isla_console.headless.text import list_text, show_text
from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.record.bounds import DEEPEST, HOURS, OFFSET, SPAN
from isla_console.incident.record.events import Event, EventError, derived_id, event, parse
from isla_console.incident.record.kinds import KINDS, problems
from isla_console.incident.record.policy import Policy, PolicyError
from isla_console.incident.record.state import Ledger, fold
from isla_console.incident.report import report
from isla_console.incident.report.view import show, summary
from isla_console.incident.rules.alarms import alarms
from isla_console.incident.rules.escalation import crossing_events
from isla_console.journal.rows import read_rows, to_row
from tests.incident.story import ANA, RULES, START, Story, at

WRONG = (1e12, -1, float("inf"), float("nan"), 10**400, True, "5", [5])


def changed(path: str, value: Any) -> dict[str, Any]:
    """The rules with one value replaced."""
    policy = json.loads(json.dumps(RULES))
    *way, last = path.split(".")
    part = policy
    for name in way:
        part = part[int(name) if isinstance(part, list) else name]
    part[int(last) if isinstance(part, list) else last] = value
    return policy


@pytest.mark.parametrize(
    "path",
    [
        "nag_min.1",
        "levels.1.from_min",
        "severities.P0.first_update_min",
        "severities.P1.cadence_min",
        "severities.P0.soak_min",
        "severities.P0.postmortem_h",
        "severities.P0.ladder.L3",
    ],
)
def test_a_number_out_of_bounds_is_no_policy(path: str) -> None:
    for value in WRONG:
        with pytest.raises(PolicyError, match=r"expected a number") as raised:
            Policy.from_dict(changed(path, value))
        name = path.replace(".1", "[1]", 1) if path.startswith(("nag", "levels")) else path
        assert str(raised.value).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("path", "least"),
    [("nag_min.0", False), ("severities.P0.cadence_min", False), ("severities.P0.soak_min", True)],
)
def test_the_edges_of_a_policy(path: str, least: bool) -> None:
    Policy.from_dict(changed(path, 10_080))
    with pytest.raises(PolicyError):
        Policy.from_dict(changed(path, 10_080.01))
    if least:
        Policy.from_dict(changed(path, 0))
    else:
        with pytest.raises(PolicyError):
            Policy.from_dict(changed(path, 0))


def test_what_the_runbook_has_is_within_them() -> None:
    """Whatever number these bounds let through, the clocks can count with."""
    for bounds in (SPAN, OFFSET, HOURS):
        assert START + timedelta(hours=bounds.most) < datetime(2200, 1, 1, tzinfo=UTC)
        assert bounds.problem(bounds.most) is None


def line(**changes: Any) -> str:
    story = Story()
    return json.dumps({**story.events[0].to_dict(), **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"occurred_at": "9999-12-31T23:59:59Z"}, "occurred_at: 9999-12-31 is out of bounds"),
        ({"recorded_at": "0001-01-01T00:00:00Z"}, "recorded_at: 0001-01-01 is out of bounds"),
        ({"kind": "hold_started", "data": {"reason": "x", "until": "9999-01-01T00:00:00Z"}}, "data.until: "),
        ({"kind": "update_snoozed", "data": {"audience": "public", "minutes": 1e12, "reason": "x"}}, "1e+12"),
        ({"kind": "update_snoozed", "data": {"audience": "public", "minutes": 0, "reason": "x"}}, "over 0"),
        ({"kind": "metric_changed", "data": {"name": "m", "from": "", "to": "", "value": 10**30}}, "64 bits"),
        ({"kind": "of the future", "data": {"a": [1, {"b": 10**30}]}}, "data.a: a whole number"),
    ],
)
def test_an_event_out_of_bounds_is_refused_with_its_field(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(EventError) as raised:
        parse(line(**changes))
    assert said in str(raised.value)


def test_a_number_that_json_makes_infinite_is_refused() -> None:
    with pytest.raises(EventError, match="not finite"):
        parse(line(kind="noted", data={"text": "x", "n": 7}).replace(": 7", ": 1e400"))


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: Any = "x"
    for _ in range(DEEPEST + 1):
        deep = [deep]
    with pytest.raises(EventError, match="levels inside each other"):
        parse(line(kind="odd", data={"a": deep}))
    with pytest.raises(EventError):
        parse('{"data": ' + "[" * 5000 + "]" * 5000 + "}")


def test_a_command_refuses_a_time_out_of_bounds() -> None:
    story = Story()
    with pytest.raises(Refused, match="out of bounds"):
        commands.note(story.incident, "x", author=ANA, now=datetime(2200, 1, 1, tzinfo=UTC))
    with pytest.raises(EventError, match="no JSON"):
        event("noted", {"text": "x", "n": at("14:00")}, incident="i", author=ANA, now=START)


def test_an_incident_whose_policy_cannot_be_used_says_why() -> None:
    story = Story()
    bad = Event(
        **{
            **{name: getattr(story.events[0], name) for name in Event.__slots__},
            "data": {**story.events[0].data, "policy": changed("severities.P0.first_update_min", 1e12)},
        }
    )
    ledger = Ledger()
    ledger.add([bad])
    assert ledger.incident is None
    assert ledger.problem.startswith(
        "its declaration cannot be used: data.policy: severities.P0.first_update_min: 1e+12 is out of bounds"
    )


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.text(max_size=5)
    | st.sampled_from([0, 1, 5, 15, 1e12, -1e12, 1e308, float("inf"), float("nan"), 10**400, "", "P0", "L2"])
    | st.sampled_from(
        ["public", "resolved", "merged", "closed", "9999-12-31T23:59:59Z", "2026-11-23T14:00:00Z"]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
WILD = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.fixed_dictionaries({name.rstrip("?"): VALUES for name in KINDS[kind]})
    )
)
TIMES = st.sampled_from([START, START + timedelta(hours=1), datetime(2199, 12, 31, tzinfo=UTC)])


@given(st.lists(st.tuples(WILD, TIMES), max_size=6))
@settings(max_examples=150, deadline=None)
def test_no_event_whatever_it_says_takes_the_incident_with_it(found: list[Any]) -> None:
    """Also one that no import lets in: an older console may have written it."""
    story = Story()
    id = story.incident.id
    wild = [
        Event(derived_id(id, str(number), "x"), id, when, when, "eve", "h", kind, data)
        for number, ((kind, data), when) in enumerate(found)
    ]
    incident = fold([*story.events, *wild])
    assert incident is not None
    now = at("15:00")
    list_text([summary(incident, now)])
    show_text(incident, now)
    show(incident, now)
    report(incident)
    list(alarms(incident, now, ()))
    crossing_events(incident, now, author=ANA)
    assert set(incident.unusable) <= {one.id for one in wild}


@given(WILD, TIMES)
@settings(max_examples=150, deadline=None)
def test_what_is_let_in_comes_back_from_the_journal(wild: Any, when: datetime) -> None:
    kind, data = wild
    try:
        made = event(kind, data, incident="inc", author=ANA, now=when)
    except EventError:
        return
    assert not problems(kind, made.data)
    rows = read_rows([(1, *to_row(made))])
    assert rows.damaged == []
    assert rows.events == [made]
    assert parse(made.to_json()) == made
