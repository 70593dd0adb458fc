"""pg_cron's jobs: when each should have run, and what is said of one that fails or is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.monitor.cron import MOST_SPARE, SPARE, must_have_begun, problem_of, zone_of

NOW = datetime(2026, 11, 26, 14, 30, 20, tzinfo=UTC)  # a Thursday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("schedule", "since"),
    [
        ("* * * * *", "2026-11-26 14:24:00"),
        ("*/5 * * * *", "2026-11-26 14:20:00"),
        ("0,30 * * * *", "2026-11-26 13:30:00"),
        ("0 * * * *", "2026-11-26 13:00:00"),
        ("@hourly", "2026-11-26 13:00:00"),
        ("30 seconds", "2026-11-26 14:24:20"),
        ("1 second", "2026-11-26 14:25:18"),
        ("15 3 * * *", "2026-11-26 03:15:00"),
        ("0 14 * * *", "2026-11-25 14:00:00"),  # an hour and five minutes to spare
        ("*/10 8-18 * * *", "2026-11-26 14:10:00"),
        ("*/10 8-12 * * *", "2026-11-26 12:50:00"),
        ("@daily", "2026-11-26 00:00:00"),
        ("@midnight", "2026-11-26 00:00:00"),
        ("15 3 * * 1", "2026-11-23 03:15:00"),
        ("15 3 * * mon", "2026-11-23 03:15:00"),
        ("@weekly", "2026-11-22 00:00:00"),
        ("0 0 * * 7", "2026-11-22 00:00:00"),
        ("*/5 * * * 1-5", "2026-11-26 14:20:00"),
        ("0 0 * * 6", "2026-11-21 00:00:00"),
        ("0 0 1 * *", "2026-11-01 00:00:00"),
        ("0 0 1 jan *", "2026-01-01 00:00:00"),
        ("@monthly", "2026-11-01 00:00:00"),
        ("@yearly", "2026-01-01 00:00:00"),
        ("@annually", "2026-01-01 00:00:00"),
        ("0 0 $ * *", "2026-10-31 00:00:00"),
        ("0 0 15,$ * *", "2026-11-15 00:00:00"),
        ("0 0 $ 2 *", "2026-02-28 00:00:00"),
        ("0 0 29 2 *", "2024-02-29 00:00:00"),
        # Either field of days, where neither is a star.
        ("0 0 13 * 5", "2026-11-20 00:00:00"),
        # No moment is told by these.
        ("@reboot", None),
        ("0 0 31 2 *", None),
        ("* * * *", None),
        ("0 * * * * *", None),
        ("61 * * * *", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_since_when_a_job_must_have_begun(schedule: str, since: str | None) -> None:
    expected = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else None
    assert must_have_begun(schedule, NOW) == expected


def test_hours_are_those_of_the_servers_zone() -> None:
    assert must_have_begun("0 9 * * *", NOW) == datetime(2026, 11, 26, 9, tzinfo=UTC)
    new_york = zone_of("America/New_York")
    assert must_have_begun("0 9 * * *", NOW, new_york) == datetime(2026, 11, 25, 14, tzinfo=UTC)
    # The night in which half past two is left out.
    spring = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
    due = must_have_begun("30 2 * * *", spring, new_york)
    assert due == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert zone_of("GMT") is zone_of("") is zone_of("Nowhere/At_All") is zone_of("../../etc/passwd") is UTC
    assert zone_of("Europe/Berlin") == ZoneInfo("Europe/Berlin")


FIELDS = (
    st.sampled_from(["*", "*/5", "0", "7,40", "10-20/2"]),
    st.sampled_from(["*", "*/3", "0", "23", "8-18"]),
    st.sampled_from(["*", "1", "31", "$", "*/2"]),
    st.sampled_from(["*", "2", "jan-jun", "12"]),
    st.sampled_from(["*", "0", "1-5", "sat"]),
)


@given(fields=st.tuples(*FIELDS), seconds=st.integers(0, 3 * 366 * 86_400))
def test_no_job_is_late_that_began_when_it_was_due(fields: tuple[str, ...], seconds: int) -> None:
    now = NOW + timedelta(seconds=seconds)
    due = must_have_begun(" ".join(fields), now)
    if due is not None:
        assert due <= now - SPARE
        later = must_have_begun(" ".join(fields), now + MOST_SPARE)
        assert later is not None
        assert later >= due


def row(
    name: str = "sum",
    schedule: str = "* * * * *",
    *,
    status: str = "succeeded",
    ago: timedelta = timedelta(),
    failed: timedelta | None = None,
    **others: Any,
) -> dict[str, Any]:
    """A job as the check's query gives it; its newest run began so long ago."""
    found = {
        "name": name,
        "schedule": schedule,
        "status": status,
        "started_at": NOW - ago,
        "failed_at": NOW - failed if failed is not None else None,
        "message": None,
        "now": NOW,
        "timezone": "GMT",
        "log_run": "on",
    }
    return found | others


@pytest.mark.parametrize(
    ("schedule", "well", "late"),
    [
        ("* * * * *", 6 * MINUTE, 8 * MINUTE),
        (" *  * * * * ", 6 * MINUTE, 8 * MINUTE),
        ("30 seconds", 5 * MINUTE, 7 * MINUTE),
        ("*/5 * * * *", 10 * MINUTE, 16 * MINUTE),
        ("0,30 * * * *", 60 * MINUTE, 90 * MINUTE),
        ("@hourly", 90 * MINUTE, 2 * HOUR + 6 * MINUTE),
        ("15 3 * * *", 11 * HOUR, 25 * HOUR),
        ("15 3 * * 1", 3 * DAY, 8 * DAY),
        ("@weekly", 4 * DAY, 8 * DAY),
        ("0 0 $ * *", 26 * DAY, 30 * DAY),
    ],
)
def test_a_job_that_does_not_run_any_more_is_told_of(schedule: str, well: timedelta, late: timedelta) -> None:
    assert problem_of([row(schedule=schedule, ago=well)]) == ""
    said = problem_of([row(schedule=schedule, ago=late)])
    began = f"{NOW - late:%Y-%m-%d %H:%MZ}"
    words = " ".join(schedule.split())
    assert said == f"sum has not run since {began} ({words}): is the scheduler running?"


def test_a_job_is_told_of_while_its_last_run_failed() -> None:
    assert problem_of([]) == problem_of([row()]) == ""
    assert problem_of([row(failed=MINUTE)]) == "sum failed at 14:29Z"
    said = row(failed=MINUTE, message="ERROR:  deadlock\nDETAIL: long")
    assert problem_of([said]) == "sum failed at 14:29Z: ERROR:  deadlock"
    assert problem_of([row(), said]) == "sum failed at 14:29Z: ERROR:  deadlock"
    assert problem_of([row(schedule="@daily", failed=DAY)]) == "sum failed at 2026-11-25 14:30Z"


def test_a_scheduler_that_stopped_is_told_of_once_and_before_an_old_failure() -> None:
    rows = [
        row("sum", failed=4 * HOUR, ago=4 * HOUR, message="disk full"),
        row("tidy", "0 * * * *", ago=5 * HOUR),
        row("long", status="running", ago=5 * HOUR),
        row("odd", "no schedule", ago=5 * HOUR),
    ]
    # Neither the one that still runs nor the one whose schedule says no time.
    said = "sum has not run since 2026-11-26 10:30Z (* * * * *), nor have 1 more:"
    assert problem_of(rows) == f"{said} is the scheduler running?"
    assert problem_of([one | {"log_run": "off"} for one in rows]) == "sum failed at 10:30Z: disk full"
    assert problem_of([one | {"log_run": None, "timezone": None} for one in rows]).startswith(said)


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(KeyError, match="timezone"):
        problem_of([{"name": "sum", "now": NOW}])
