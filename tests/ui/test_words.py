"""Times and distances, as they are written and as they are typed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.ui.format import age, countdown, duration, elapsed, hm
from isla_console.ui.theme import ascii_only, sparkline
from isla_console.ui.times import read_time

NOW = datetime(2026, 11, 23, 14, 12, 41, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00:00"), (761, "00:12:41"), (3600, "01:00:00"), (90061, "1d 01:01:01"), (-5, "00:00:00")],
)
def test_elapsed(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(139, "02:19"), (59.9, "00:59"), (3723, "1:02:03"), (-139, "02:19"), (180000, "2d 02h")],
)
def test_countdown(seconds: float, text: str) -> None:
    assert countdown(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(3, "3s"), (240, "4m"), (7300, "2h"), (500000, "5d")])
def test_age(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_durations_and_days() -> None:
    assert duration(timedelta(minutes=3)) == "3 min"
    assert duration(timedelta(hours=2, minutes=5)) == "2 h 05 min"
    assert hm(NOW, NOW) == "14:12Z"
    assert hm(NOW - timedelta(days=1), NOW) == "11-22 14:12Z"


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("", None),
        ("14:05", datetime(2026, 11, 23, 14, 5, tzinfo=UTC)),
        ("14:05z", datetime(2026, 11, 23, 14, 5, tzinfo=UTC)),
        ("23:50", datetime(2026, 11, 22, 23, 50, tzinfo=UTC)),
        ("20m ago", NOW - timedelta(minutes=20)),
        ("2h", NOW - timedelta(hours=2)),
        ("2026-11-23T15:05+02:00", datetime(2026, 11, 23, 13, 5, tzinfo=UTC)),
    ],
)
def test_read_time(typed: str, at: datetime | None) -> None:
    assert read_time(typed, NOW) == at


@pytest.mark.parametrize("typed", ["25:00", "yesterday", "2026-11-23T15:05", "14.05", "-5m"])
def test_no_time(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_time(typed, NOW)


@given(st.lists(st.none() | st.floats(0, 1e6), max_size=40), st.integers(1, 30))
def test_sparkline_fits(history: list[float | None], width: int) -> None:
    line = sparkline(history, width)
    assert len(line) <= width
    assert set(line) <= set(" ▁▂▃▄▅▆▇█")


def test_a_quiet_measure_looks_quiet() -> None:
    assert sparkline([40.0, 41.0, 40.5], 3, ceiling=200) == "▂▂▂"
    assert sparkline([100, 200, 400], 3, ceiling=200) == "▃▅█"
    assert sparkline([0, 0], 2) == "▁▁"


@given(st.text())
def test_ascii_keeps_every_cell(text: str) -> None:
    assert ascii_only(text).isascii()
    assert len(ascii_only(text)) == len(text)
