"""A correction replaces what an entry says and when it happened; what follows is computed from it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.record.state import Ledger, fold
from isla_console.incident.report import report
from isla_console.incident.rules.clocks import e_seconds
from tests.incident.story import Story, at


def _correct(story: Story, index: int, changes: dict[str, Any], clock: str, **more: Any) -> None:
    story.do(commands.correct, story.events[index].id, changes, now=at(clock), **more)


def test_a_state_is_corrected_and_the_clock_with_it() -> None:
    story = Story()
    story.do(commands.change_state, "monitoring", now=at("14:10"), reason="seems well")
    assert e_seconds(story.incident, at("14:30")) == 600
    _correct(story, -1, {"state": "mitigating"}, "14:20")
    assert story.incident.state == "mitigating"
    assert e_seconds(story.incident, at("14:30")) == 1800


def test_an_acknowledgement_is_corrected_to_another_person_and_target() -> None:
    story = Story()
    story.do(commands.acknowledge, "L2", "ana", now=at("14:16"))
    _correct(story, -1, {"person": "ben", "target": "ben"}, "14:17")
    rung = story.rung("L2", at("14:18"))
    assert (rung.acknowledged_by, rung.waiting_for) == (("ben",), ("ana",))


def test_a_role_a_measure_and_an_update_are_corrected() -> None:
    story = Story()
    story.do(commands.accept_role, "commander", "ana", now=at("14:01"))
    _correct(story, -1, {"person": "ben"}, "14:02")
    assert story.incident.commander == "ben"
    story.measure("errors", "ok", "alert", "5 %", at("14:03"))
    _correct(story, -1, {"to": "elevated", "value": "0.4 %"}, "14:04")
    assert [(change.after, change.value) for change in story.incident.changes] == [("elevated", "0.4 %")]
    story.do(commands.send_update, "public", "We know.", now=at("14:05"), via="web")
    _correct(story, -1, {"via": "status page"}, "14:06")
    assert story.incident.updates[-1].via == "status page"


def test_a_time_is_corrected_and_the_entry_moves() -> None:
    story = Story()
    story.do(commands.note, "first complaint", now=at("14:05"))
    story.do(commands.send_update, "public", "We know.", now=at("14:06"))
    sent = story.events[-1].id
    story.do(commands.correct, sent, {}, now=at("14:07"), at=at("14:03"))
    kinds = [event.kind for event in story.incident.timeline]
    assert kinds.index("update_sent") < kinds.index("noted")
    assert story.incident.updates[-1].at == at("14:03")
    story.do(commands.correct, sent, {"via": "web"}, now=at("14:08"))
    assert story.incident.updates[-1].at == at("14:03"), "the corrected time stands"
    text = report(story.incident)
    assert "corrected 14:08:00Z by ana from ~~14:06:00Z ana sent the public update~~" in text


@pytest.mark.parametrize(
    ("changes", "more", "about"),
    [
        ({"state": "fine"}, {}, "state"),
        ({"state": None}, {}, "state"),
        ({}, {}, ""),
        ({}, {"at": at("14:30")}, "at"),
        ({}, {"at": at("12:00", day=21)}, "at"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(
    changes: dict[str, Any], more: dict[str, Any], about: str
) -> None:
    story = Story()
    story.do(commands.change_state, "identified", now=at("14:10"))
    with pytest.raises(Refused) as refused:
        _correct(story, -1, changes, "14:20", **more)
    assert refused.value.about == about


def test_corrected_in_any_order_of_arrival_it_is_the_same() -> None:
    story = Story()
    for minute in range(1, 9):
        story.do(commands.note, f"note {minute}", now=at(f"14:0{minute}"))
    story.do(commands.correct, story.events[6].id, {"text": "early"}, now=at("14:10"), at=at("14:00:30"))
    story.do(commands.correct, story.events[2].id, {}, now=at("14:11"), at=at("14:10:30"))
    whole = fold(story.events)
    for seed in range(20):
        shuffled = list(story.events)
        random.Random(seed).shuffle(shuffled)
        ledger = Ledger()
        for event in shuffled:
            ledger.add([event])
        assert ledger.incident == whole
