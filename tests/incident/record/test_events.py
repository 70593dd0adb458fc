from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from isla_console.incident.record.events import Author, EventError, derived_id, event, parse
from isla_console.incident.record.ids import time_ordered_id
from isla_console.incident.record.policy import Policy, PolicyError
from isla_console.text.spans import span_text
from isla_console.text.times import parse_utc, utc_text
from tests.incident.story import ANA, AS_WRITTEN, RULES, START, Story

GOOD: dict[str, Any] = {
    "id": "0193",
    "incident": "inc-1",
    "occurred_at": "2026-11-23T14:00:00.000Z",
    "recorded_at": "2026-11-23T15:00:00.012+01:00",
    "actor": "ana",
    "host": "jump1",
    "kind": "noted",
    "data": {"text": "hello"},
}


def test_an_event_comes_back_from_its_line() -> None:
    for written in Story().events:
        assert parse(written.to_json()) == written
    parsed = parse(json.dumps(GOOD))
    assert utc_text(parsed.recorded_at) == "2026-11-23T14:00:00.012Z"
    assert parse(parsed.to_json()) == parsed


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"occurred_at": "2026-11-23T14:00:00"}, "occurred_at: naive time; write …Z"),
        ({"occurred_at": "yesterday"}, "occurred_at: not a time"),
        ({"occurred_at": "2026-02-31T14:00:00Z"}, "occurred_at: no such time"),
        ({"occurred_at": 5}, "occurred_at: expected a time"),
        ({"recorded_at": None}, "recorded_at: missing"),
        ({"id": ""}, "id: expected text"),
        ({"id": 7}, "id: expected text"),
        ({"actor": None}, "actor: missing"),
        ({"host": "a\x1b[2Jb"}, "host: expected text without control characters"),
        ({"kind": "x" * 300}, "kind: longer than 200"),
        ({"data": None}, "data: missing"),
        ({"data": [1]}, "data: expected an object"),
        ({"data": {}}, "data.text: missing"),
        ({"data": {"text": 5}}, "data.text: expected text"),
        ({"kind": "hold_started", "data": {"reason": "x", "until": "soon"}}, "data.until: not a time"),
        ({"kind": "level_due", "data": {"level": "L2"}}, "data.due_at: missing; data.late: missing"),
        ({"kind": "state_changed", "data": {"state": "fine"}}, "data.state: expected one of investigating"),
        ({"kind": "ran", "data": {"exit_code": True}}, "data.exit_code: expected a whole number"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(EventError) as raised:
        parse({**GOOD, **change})
    assert problem in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", '"x"', "NaN", '{"a": NaN}', "[" * 100_000])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(EventError):
        parse(text)


def test_an_unknown_kind_and_unknown_fields_are_kept() -> None:
    parsed = parse({**GOOD, "kind": "teleported", "data": {"to": ["mars", 1]}})
    assert parsed.to_dict()["data"] == {"to": ["mars", 1]}
    assert parse({**GOOD, "data": {"text": "x", "mood": "calm"}}).data["mood"] == "calm"


def test_bytes_that_were_no_text_are_replaced_so_that_they_can_be_written() -> None:
    written = event("noted", {"text": "a\udcffb"}, incident="i", author=ANA, now=START)
    assert written.data["text"] == "a�b"
    assert parse(json.dumps({**GOOD, "data": {"text": "\ud800"}})).data["text"] == "�"


def test_a_line_for_export_carries_no_control_characters() -> None:
    line = event("noted", {"text": "\x1b[2J\x9b\x7f é"}, incident="i", author=ANA, now=START).to_json()
    assert line.replace("\x7f", "").isprintable()
    assert line.isascii()


def test_ids_sort_as_they_were_made() -> None:
    ids = [time_ordered_id(START) for _ in range(2000)]
    assert ids == sorted(set(ids))
    assert time_ordered_id(START + timedelta(microseconds=10)) > ids[-1]
    assert ids[0][14] == "7"
    assert derived_id("i", "L2", "time") == derived_id("i", "L2", "time") != derived_id("i", "L2", "severity")


def test_making_an_event_of_an_unknown_kind_is_a_mistake() -> None:
    with pytest.raises(EventError):
        event("teleported", {}, incident="i", author=Author("a", "h"), now=START)


def test_times_are_strict() -> None:
    assert parse_utc("2026-11-23T14:00Z") == START
    for wrong in (
        "2026-11-23",
        "14:00",
        "2026-11-23 14:00:00Z",
        "2026-11-23T14:00:00z",
        "٢026-11-23T14:00:00Z",
    ):
        with pytest.raises(ValueError, match="time"):
            parse_utc(wrong)
    assert [span_text(s) for s in (5, 60, 3700, 90000)] == ["5 s", "1 min", "1 h 01 min", "1 d 01 h"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"overlay": "mine"}, "overlay"),
        ({"levels": []}, "levels"),
        ({"levels": [{"id": "L1", "from_min": "soon", "targets": []}]}, "levels[0].from_min"),
        ({"levels": [{"id": "L1", "from_min": 0, "targets": "ana"}]}, "levels[0].targets"),
        ({"nag_min": [True]}, "nag_min[0]"),
        ({"severities": {}}, "severities"),
        ({"severities": {"P0": {"ladder": {"L1": "x"}}}}, "severities.P0.ladder.L1"),
        ({"checklist": [{"id": "a"}]}, "checklist[0].text"),
    ],
)
def test_a_wrong_policy_names_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(PolicyError) as raised:
        Policy.from_dict({**RULES, **change})
    assert str(raised.value).startswith(field + ":")


def test_a_policy_survives_being_frozen() -> None:
    for rules in (RULES, AS_WRITTEN):
        policy = Policy.from_dict(rules)
        assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy


def test_the_shipped_runbook_makes_this_policy() -> None:
    from isla_console.resources import resource
    from isla_console.runbook.load import load_runbook

    frozen = Policy.from_dict(load_runbook(resource("runbook.yaml")).runbook.policy())
    ours = Policy.from_dict(RULES)
    assert [(level.id, level.from_min) for level in frozen.levels] == [
        (level.id, level.from_min) for level in ours.levels
    ]
    assert frozen.severities == ours.severities
    assert frozen.nag_min == ours.nag_min
    assert len(frozen.checklist) == 7


def test_local_times_are_stored_as_utc() -> None:
    from zoneinfo import ZoneInfo

    local = datetime(2026, 11, 23, 15, tzinfo=ZoneInfo("Europe/Berlin"))
    written = event("noted", {"text": "x"}, incident="i", author=ANA, now=local)
    assert written.occurred_at == START
    assert str(written.occurred_at.tzinfo) == "UTC"
