"""Whom a level calls: each target has its own state, and three acts are three different facts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.incident import commands
from isla_console.incident.commands import Refused
from isla_console.incident.record.words import sentence
from isla_console.incident.report import report
from isla_console.incident.report.handoff import brief
from isla_console.incident.report.view import show
from isla_console.incident.rules.alarms import alarms
from tests.incident.story import BEN, RULES, Story, at

TEAM: dict[str, Any] = {
    **RULES,
    "levels": [
        {"id": "L1", "from_min": 0, "targets": ["On-call engineer"]},
        {"id": "L2", "from_min": 15, "targets": ["Platform lead", "Senior engineer"]},
        *RULES["levels"][2:],
    ],
}
LEAD, SENIOR = "Platform lead", "Senior engineer"


def _states(story: Story, level: str, clock: str) -> dict[str, str]:
    return {target.target: target.state for target in story.rung(level, at(clock)).whom}


def _call(story: Story, target: str, outcome: str, clock: str, **more: Any) -> None:
    story.do(commands.called, "L2", target, now=at(clock), via="phone", outcome=outcome, **more)


def test_nobody_called_is_not_no_answer() -> None:
    story = Story(policy=TEAM)
    assert _states(story, "L2", "14:31") == {LEAD: "open", SENIOR: "open"}
    assert _states(story, "L1", "14:31") == {"On-call engineer": "open"}, "not done because it is over"
    text = "\n".join((report(story.incident), brief(story.incident, at("14:31"))))
    assert "no answer" not in text
    assert "on time" not in text
    assert "nobody was called or said they are on it" in text


@pytest.mark.parametrize("outcome", ["answered", "message", "no_answer"])
def test_a_call_is_told_and_silences_nobody(outcome: str) -> None:
    story = Story(policy=TEAM)
    _call(story, LEAD, outcome, "14:16")
    assert _states(story, "L2", "14:17") == {LEAD: outcome, SENIOR: "open"}
    rung = story.rung("L2", at("14:20"))
    assert (rung.waiting_for, rung.nag, rung.acknowledged_by) == ((LEAD, SENIOR), "nag", ())


def test_one_target_of_two_answers() -> None:
    """The other one's silence is the other one's."""
    story = Story(policy=TEAM)
    _call(story, SENIOR, "no_answer", "14:16")
    story.do(commands.acknowledge, "L2", "ben", now=at("14:17"), target=LEAD, author=BEN)
    assert _states(story, "L2", "14:18") == {LEAD: "on_it", SENIOR: "no_answer"}
    assert story.rung("L2", at("14:18")).waiting_for == (SENIOR,)
    said = [alarm.text for alarm in alarms(story.incident, at("14:20"), ())]
    assert any("L2 due 14:15Z, 5 min ago: call Senior engineer (no answer 14:16Z)" in text for text in said)
    assert not any(LEAD in text for text in said)


def test_the_last_call_counts_until_somebody_is_on_it() -> None:
    story = Story(policy=TEAM)
    _call(story, LEAD, "no_answer", "14:16")
    _call(story, LEAD, "message", "14:18")
    assert _states(story, "L2", "14:19")[LEAD] == "message"
    story.do(commands.acknowledge, "L2", "ana", now=at("14:20"), target=LEAD)
    _call(story, LEAD, "no_answer", "14:21")
    assert _states(story, "L2", "14:22")[LEAD] == "on_it"


def test_the_words_of_the_three_acts_differ() -> None:
    story = Story(policy=TEAM)
    _call(story, LEAD, "no_answer", "14:16", person="dana")
    story.do(commands.acknowledge, "L2", "ben", now=at("14:17"), target=LEAD, via="chat")
    story.do(commands.acknowledge, "L2", "ana", now=at("14:18"), target=SENIOR)
    words = [sentence(event, story.incident) for event in story.incident.timeline[1:]]
    assert words == [
        "ana called dana, Platform lead (L2) by phone: no answer",
        "ana says that ben is on it (L2, Platform lead, by chat)",
        "ana is on it (L2, Senior engineer)",
    ]
    text = report(story.incident)
    assert "| L2 | Platform lead | engaged | – |" not in text
    assert "ben on it 14:17:00Z (after 2 min), says ana by chat" in text
    assert "ana on it 14:18:00Z (after 3 min) |" in text
    whom = next(rung for rung in show(story.incident, at("14:20"))["ladder"] if rung["level"] == "L2")
    assert [target["state"] for target in whom["targets"]] == ["on_it", "on_it"]


@pytest.mark.parametrize(
    ("given_", "about", "reason"),
    [
        ({"person": "ben", "target": LEAD}, "via", "how ben said so is needed"),
        ({"person": " ", "target": LEAD}, "person", "who is on it is needed"),
        ({"person": "ana"}, "for", "for whom: Platform lead or Senior engineer?"),
        ({"person": "ana", "target": LEAD, "at": at("14:21")}, "at", "still to come"),
    ],
)
def test_what_is_not_said_is_asked_for(given_: dict[str, Any], about: str, reason: str) -> None:
    story = Story(policy=TEAM)
    person = given_.pop("person")
    with pytest.raises(Refused, match=reason) as refused:
        story.do(commands.acknowledge, "L2", person, now=at("14:20"), **given_)
    assert refused.value.about == about
    with pytest.raises(Refused, match="by which way") as refused:
        story.do(commands.called, "L2", LEAD, now=at("14:20"), via="", outcome="no_answer")
    assert refused.value.about == "via"
    with pytest.raises(Refused, match="outcome: expected one of"):
        story.do(commands.called, "L2", LEAD, now=at("14:20"), via="phone", outcome="fine")


def test_a_call_of_an_earlier_time_is_told_at_that_time() -> None:
    story = Story(policy=TEAM)
    _call(story, LEAD, "no_answer", "14:25", at=at("14:17"))
    [target, _] = story.rung("L2", at("14:26")).whom
    assert (target.at, target.by, target.via) == (at("14:17"), "ana", "phone")


acts = st.lists(
    st.tuples(
        st.sampled_from([LEAD, SENIOR, "vendor"]),
        st.sampled_from(["answered", "message", "no_answer", "on_it"]),
    ),
    max_size=8,
)


@given(acts)
def test_a_target_is_silenced_by_nothing_but_its_own_word(done: list[tuple[str, str]]) -> None:
    story = Story(policy=TEAM)
    now = at("14:16")
    for target, what in done:
        now += timedelta(seconds=10)
        if what == "on_it":
            story.do(commands.acknowledge, "L2", "ana", now=now, target=target)
        else:
            story.do(commands.called, "L2", target, now=now, via="phone", outcome=what)
    rung = story.rung("L2", now)
    known = {LEAD, SENIOR} | {target for target, what in done if target == "vendor" and what != "on_it"}
    on_it = {target for target, what in done if what == "on_it"}
    waiting = {LEAD, SENIOR} - on_it
    assert waiting <= set(rung.waiting_for) <= known
    for target in rung.whom:
        mine = [what for name, what in done if name == target.target]
        if target.target in (LEAD, SENIOR):
            assert target.state == ("on_it" if "on_it" in mine else mine[-1] if mine else "open")
