"""Times: as the journal, the screen and a file's name have them, and as a person types them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.text.times import (
    as_stored,
    clock_text,
    formal_text,
    full_text,
    parse_utc,
    read_before,
    read_time,
    stamp_text,
    utc_text,
)

NOW = datetime(2026, 11, 23, 14, 12, 41, tzinfo=UTC)
YESTERDAY = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
MOMENTS = st.integers(86_400_000_000, 4_102_444_800_000_000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (clock_text(NOW), "14:12Z"),
        (clock_text(NOW, NOW), "14:12Z"),
        (clock_text(NOW, seconds=True), "14:12:41Z"),
        (clock_text(YESTERDAY, NOW), "2026-11-22 23:59Z"),
        (clock_text(YESTERDAY, NOW, seconds=True), "2026-11-22 23:59:59Z"),
        (clock_text(NOW, YESTERDAY), "2026-11-23 14:12Z"),
        # The day is UTC's, wherever the time was written down.
        (clock_text(NOW.astimezone(timezone(timedelta(hours=12))), NOW), "14:12Z"),
        (full_text(NOW), "2026-11-23 14:12Z"),
        (full_text(NOW, seconds=True), "2026-11-23 14:12:41Z"),
        (stamp_text(NOW), "20261123T141241Z"),
        (formal_text(NOW), "14:12 UTC on 2026-11-23"),
        (utc_text(NOW), "2026-11-23T14:12:41.000Z"),
        (utc_text(NOW, "seconds"), "2026-11-23T14:12:41Z"),
    ],
)
def test_as_written(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("", None),
        ("14:05", datetime(2026, 11, 23, 14, 5, tzinfo=UTC)),
        ("14:05z", datetime(2026, 11, 23, 14, 5, tzinfo=UTC)),
        ("20m ago", NOW - timedelta(minutes=20)),
        ("2h", NOW - timedelta(hours=2)),
        ("2026-11-23T15:05+02:00", datetime(2026, 11, 23, 13, 5, tzinfo=UTC)),
    ],
)
def test_as_typed(typed: str, at: datetime | None) -> None:
    assert read_time(typed, NOW) == at


def test_a_time_of_day_is_yesterdays_only_while_that_is_near() -> None:
    """Who reads a clock of Berlin's at 14:12 UTC writes 15:10: that is not 23 hours ago."""
    past_midnight = datetime(2026, 11, 23, 0, 10, tzinfo=UTC)
    assert read_time("23:50", past_midnight) == datetime(2026, 11, 22, 23, 50, tzinfo=UTC)
    assert read_time("12:10", past_midnight) == datetime(2026, 11, 22, 12, 10, tzinfo=UTC)
    for typed, now in (("15:10", NOW), ("23:50", NOW), ("00:15", past_midnight), ("12:09", past_midnight)):
        with pytest.raises(ValueError, match=r"is still to come: it is \d\d:\d\d UTC"):
            read_time(typed, now)


@pytest.mark.parametrize(
    "typed",
    ["25:00", "yesterday", "2026-11-23T15:05", "14.05", "-5m", "0001-01-01T00:00+23:59"],
)
def test_no_time(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_time(typed, NOW)


@pytest.mark.parametrize(
    ("typed", "before"),
    [
        ("-30m", timedelta(minutes=30)),
        ("-1s", timedelta(seconds=1)),
        ("-24h", timedelta(days=1)),
        ("-7d", timedelta(days=7)),
        ("30m", None),
        ("-30", None),
        ("-30m ago", None),
        ("", None),
    ],
)
def test_so_long_before_now(typed: str, before: timedelta | None) -> None:
    assert read_before(typed, NOW) == (NOW - before if before is not None else None)


@given(MOMENTS)
def test_the_journal_reads_what_it_wrote(when: datetime) -> None:
    assert parse_utc(utc_text(when)) == as_stored(when)


@given(when=MOMENTS, now=MOMENTS)
def test_a_person_may_type_what_the_screen_shows(when: datetime, now: datetime) -> None:
    for seconds in (True, False):
        shown = when.replace(microsecond=0) if seconds else when.replace(second=0, microsecond=0)
        assert read_time(full_text(when, seconds=seconds), now) == shown
        if when <= now:
            assert read_time(clock_text(when, now, seconds=seconds), now) == shown


@given(st.text(max_size=40) | st.from_regex(r"[0-9T:+Z-]{1,25}", fullmatch=True))
def test_whatever_is_typed_is_a_time_or_is_refused_in_words(typed: str) -> None:
    try:
        at = read_time(typed, NOW)
    except ValueError:
        return
    assert at is None or at.tzinfo is UTC
