"""Entries of a clock that is ahead of ours are said, and no clock pretends to count."""

import json
from datetime import timedelta

import pytest

from isla_console.headless.text import list_text, show_text
from isla_console.incident import commands
from isla_console.incident.report.view import show, summary
from isla_console.incident.rules.ahead import ahead, ahead_sentence, begins_ahead
from tests.incident.story import START, Story


@pytest.mark.parametrize(
    ("seconds", "is_said"), [(-60, False), (0, False), (5, False), (6, True), (7200, True)]
)
def test_how_far_ahead_is_said(seconds: float, is_said: bool) -> None:
    incident, now = Story().incident, START - timedelta(seconds=seconds)
    assert (ahead(incident, now) is not None) == is_said
    assert begins_ahead(incident, now) == is_said
    assert bool(ahead_sentence(incident, now)) == is_said


def test_two_hours_ahead_stand_on_every_page() -> None:
    incident, now = Story().incident, START - timedelta(hours=2)
    assert "2 h 00 min ahead of this host's clock (12:00Z)" in show_text(incident, now)
    assert "\nT ?  since" in show_text(incident, now)
    assert "CLOCK: entries 2 h 00 min ahead" in list_text([summary(incident, now)])
    shown = json.loads(json.dumps(show(incident, now)))
    assert (shown["t_seconds"], shown["e_seconds"], shown["ahead_s"]) == (None, None, 7200)


def test_a_late_entry_of_such_a_clock_leaves_t_counting() -> None:
    story = Story()
    story.do(commands.note, "from the future", now=START + timedelta(hours=3))
    now = START + timedelta(hours=1)
    assert "what is due may be wrong" in ahead_sentence(story.incident, now)
    assert "T 01:00:00" in show_text(story.incident, now)


def test_a_clock_that_agrees_adds_nothing() -> None:
    assert "ahead_s" not in show(Story().incident, START)
    assert "CLOCK" not in show_text(Story().incident, START)
