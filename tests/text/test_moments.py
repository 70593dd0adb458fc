"""One reader of the times that machines write, one writer of times, and nothing else that does either."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import isla_console
from isla_console.text.spans import age, countdown, elapsed, span_text, took_text, window_text
from isla_console.text.times import aged_text, clock_text, full_text, moment, read_time, utc_text

NOW = datetime(2026, 11, 23, 14, 12, 41, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLAUSIBLE = st.integers(1_000_000_000_000_000, 3_999_999_999_999_999).map(
    lambda microseconds: EPOCH + timedelta(microseconds=microseconds)
)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1_795_443_161, NOW),
        (1_795_443_161.0, NOW),
        (1_795_443_161_000, NOW),
        (1_795_443_161_000_000, NOW),
        (1_795_443_161_000_000_000, NOW),
        ("1795443161000", NOW),
        ("2026-11-23T14:12:41Z", NOW),
        ("2026-11-23T14:12:41.000000000Z", NOW),
        ("2026-11-23 14:12:41+00", NOW),
        ("2026-11-23T15:12:41+01:00", NOW),
        ("2026-11-23T15:12:41+0100", NOW),
        ("2026-11-23T14:12:41", NOW),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        (NOW.replace(tzinfo=None), NOW),
        (NOW.astimezone(timezone(timedelta(hours=9))), NOW),
        *((none, None) for none in (None, True, 0, -1, 3600, 999_999_999, 4_000_000_000, 1e30, float("nan"))),
        *(
            (none, None)
            for none in ("", "READY", "14:12", "20261123", "2026-13-45T00:00Z", "1795443", [], {})
        ),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_what_a_machine_means(value: object, at: datetime | None) -> None:
    assert moment(value) == at


@given(PLAUSIBLE)
def test_every_way_of_counting_is_read_back(when: datetime) -> None:
    whole = when.replace(microsecond=0)
    counted = (when - EPOCH) // timedelta(microseconds=1)
    assert moment(counted) == when
    assert moment(counted * 1000) == when
    assert moment(counted // 1000) == when.replace(microsecond=when.microsecond // 1000 * 1000)
    assert moment(counted // 1_000_000) == whole
    assert moment(when.isoformat()) == when
    assert moment(utc_text(when, "seconds")) == whole
    assert moment(whole.replace(tzinfo=None).isoformat(" ")) == whole


@given(PLAUSIBLE, PLAUSIBLE)
def test_what_is_shown_can_be_read_again(when: datetime, now: datetime) -> None:
    """A time with its age says the whole time: its first words are what a person may type."""
    shown = aged_text(when, now).removesuffix(" in " + age(when - now)).removesuffix(" " + age(now - when))
    near = abs(when - now) < timedelta(hours=1)
    assert shown == clock_text(when, now, seconds=near)
    assert read_time(full_text(when, seconds=True), now) == when.replace(microsecond=0)


def test_a_time_ahead_says_so() -> None:
    assert aged_text(NOW + timedelta(minutes=5), NOW) == "14:17:41Z in 5m"
    assert aged_text(NOW - timedelta(minutes=5), NOW) == "14:07:41Z 5m"
    assert aged_text(NOW, NOW) == "14:12:41Z 0s"


@given(st.floats(-1e7, 1e7, allow_nan=False))
def test_no_span_is_negative_zero_or_sixty_of_a_smaller_unit(seconds: float) -> None:
    for write in (span_text, took_text, elapsed, countdown, age):
        for text in (write(seconds), write(timedelta(seconds=seconds))):
            assert "-" not in text
            assert not re.search(r"\b(60|6\d|[7-9]\d) ?(s|min)\b", text), text
            assert not re.search(r":6\d", text), text
    assert "-" not in window_text(seconds)


READS_OR_WRITES = re.compile(
    r"strftime|strptime|isoformat|fromisoformat|fromtimestamp|parsedate|%Y-%m|%H:%M|%Y%m%d"
)
ELSEWHERE = {
    "text/times.py": "the place",
    "sql/values.py": "PostgreSQL's own text and parameters",
    "sql/days.py": "days, which are no times",
    "steps/inputs.py": "a day, which is no time",
    "runbook/values.py": "a day, which is no time",
    "database/values.py": "PostgreSQL's own text",
    "incident/record/bounds.py": "a day in a year that may have three digits",
    "incident/commands/work.py": "a day, which is no time",
    "steps/rows.py": "a time without a zone, as the database has it",
    "journal/rows.py": "what the journal itself wrote, a hundred thousand at once",
    "incident/commands/lifecycle.py": "an incident's id",
    "incident/record/ids.py": "an incident's id",
    "session/drill.py": "an id",
}


def test_nothing_else_reads_or_writes_times() -> None:
    room = Path(isla_console.__file__).parent
    found = {
        str(path.relative_to(room))
        for path in room.rglob("*.py")
        if READS_OR_WRITES.search(path.read_text(encoding="utf-8"))
    }
    assert {name for name in found if not name.startswith("drill/")} <= ELSEWHERE.keys()
