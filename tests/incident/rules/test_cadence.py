from __future__ import annotations

from datetime import datetime

import pytest

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.rules.alarms import alarms
from isla_console.incident.rules.cadence import promised_next, update_due, updates
from tests.incident.story import AS_WRITTEN, Story, at


def _due(story: Story, now: datetime, audience: str = "public") -> datetime | None:
    return update_due(story.incident, audience, now).due_at


def _send(story: Story, now: datetime, audience: str = "public") -> None:
    story.do(commands.send_update, audience, "We know.", now=now)


@pytest.mark.parametrize(("severity", "due"), [("P0", "14:05"), ("P1", "14:10"), ("P2", None), ("P3", None)])
def test_the_first_update(severity: str, due: str | None) -> None:
    story = Story(severity)
    assert _due(story, at("14:01")) == (at(due) if due else None)
    assert _due(story, at("14:01"), "internal") is None
    assert _due(Story(severity, policy=AS_WRITTEN), at("14:01")) == at("14:30")


def test_the_cadence_counts_from_the_last_one_sent() -> None:
    story = Story("P1")
    story.do(commands.draft_update, "public", "We know.", now=at("14:02"))
    story.do(commands.copy_update, "public", "We know.", now=at("14:03"), via="osc52")
    assert _due(story, at("14:04")) == at("14:10")
    _send(story, at("14:04"))
    assert _due(story, at("14:05")) == at("14:34")
    assert update_due(story.incident, "public", at("14:05")).last_sent_at == at("14:04")
    assert _due(story, at("14:05"), "internal") is None
    _send(story, at("14:06"), "internal")
    assert [due.due_at for due in updates(story.incident, at("14:07"))] == [at("14:34"), at("14:36")]


def test_p2_is_timed_once_one_was_sent_and_p3_never() -> None:
    story = Story("P2")
    story.do(commands.change_state, "investigating", now=at("14:02"))
    assert _due(story, at("14:03")) is None
    _send(story, at("14:10"))
    assert _due(story, at("14:11")) == at("15:10")
    story.do(commands.change_impact, "slow", now=at("14:20"))
    assert _due(story, at("14:20")) == at("14:25")
    story = Story("P3")
    _send(story, at("14:10"))
    assert _due(story, at("14:11")) is None


def test_a_change_makes_it_due_within_five_minutes_and_never_later() -> None:
    story = Story("P1")
    story.do(commands.change_state, "investigating", now=at("14:07"))
    assert _due(story, at("14:07")) == at("14:10")
    _send(story, at("14:08"))
    story.do(commands.change_state, "identified", now=at("14:20"))
    assert _due(story, at("14:20")) == at("14:25")
    assert update_due(story.incident, "public", at("14:20")).because == "the state changed"
    _send(story, at("14:21"))
    story.do(commands.change_severity, "P2", now=at("14:30"), reason="few")
    assert _due(story, at("14:30")) == at("14:35")
    _send(story, at("14:31"))
    assert _due(story, at("14:32")) == at("15:31")
    story.do(commands.change_severity, "P3", now=at("14:40"), reason="nobody")
    assert _due(story, at("14:40")) is None
    story.do(commands.change_severity, "P0", now=at("14:50"), reason="everybody")
    assert _due(story, at("14:50")) == at("14:55")


def test_it_rings_before_at_and_after_its_time() -> None:
    story = Story("P1")
    stages = {
        "14:04:59": "none",
        "14:05": "soft",
        "14:10": "due",
        "14:15": "nag",
        "14:20": "red",
        "15:30": "red",
    }
    for clock, stage in stages.items():
        assert update_due(story.incident, "public", at(clock)).stage == stage
    assert update_due(story.incident, "public", at("14:20")).overdue_s == 600
    rung: set[str] = set()
    rang = []
    for minute in range(31):
        now = at(f"14:{minute:02d}")
        for alarm in alarms(story.incident, now, rung):
            rung.add(alarm.key)
            if "update" in alarm.text:
                rang.append((minute, alarm.level))
    assert rang == [(5, "soft"), (10, "due"), (15, "nag"), (20, "red")]


def test_snoozing_once_for_each_due_time() -> None:
    story = Story("P1")
    for wrong in (0, 7, 30):
        with pytest.raises(Refused, match="5, 10 or 15"):
            story.do(commands.snooze_update, "public", wrong, "busy", now=at("14:10"))
    with pytest.raises(Refused, match="reason"):
        story.do(commands.snooze_update, "public", 5, "", now=at("14:10"))
    story.do(commands.snooze_update, "public", 10, "in a call", now=at("14:11"))
    snoozed = update_due(story.incident, "public", at("14:15"))
    assert (snoozed.stage, snoozed.snoozed_until, snoozed.due_at) == ("snoozed", at("14:21"), at("14:10"))
    assert update_due(story.incident, "public", at("14:21")).stage == "due"
    assert update_due(story.incident, "public", at("14:31")).stage == "red"
    with pytest.raises(Refused, match="once already"):
        story.do(commands.snooze_update, "public", 5, "still in it", now=at("14:21"))
    with pytest.raises(Refused, match="no internal"):
        story.do(commands.snooze_update, "internal", 5, "busy", now=at("14:21"))
    _send(story, at("14:22"))
    story.do(commands.snooze_update, "public", 5, "busy", now=at("14:50"))


def test_one_last_word_after_the_end() -> None:
    story = Story("P0")
    _send(story, at("14:04"))
    story.do(commands.resolve, now=at("14:20"), override="works", final_update="Resolved.")
    assert story.events[-1].kind == "update_drafted"
    assert _due(story, at("14:21")) == at("14:25")
    assert promised_next(story.incident, at("14:21")) is None
    _send(story, at("14:22"))
    assert _due(story, at("14:23")) is None
    story.do(commands.reopen, "again", now=at("14:40"))
    assert _due(story, at("14:41")) == at("14:45")


def test_brackets_block_sending() -> None:
    story = Story()
    with pytest.raises(Refused, match=r"\[service\]"):
        story.do(commands.send_update, "public", "An issue with [service].", now=at("14:02"))
    story.do(
        commands.send_update, "public", "[Resolved] all well", now=at("14:02"), placeholders=("[service]",)
    )
    with pytest.raises(Refused):
        story.do(commands.send_update, "public", "  ", now=at("14:02"))
    with pytest.raises(Refused, match="expected one of public, customer, internal"):
        story.do(commands.send_update, "everyone", "x", now=at("14:02"))
