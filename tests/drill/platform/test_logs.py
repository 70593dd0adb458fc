"""The stand-in for Supabase's logs answers for the time that is asked for, as the API does."""

from datetime import UTC, datetime, timedelta

from isla_console.drill.platform.services.supabase_management import logged
from isla_console.drill.scenario.faults import Faults
from isla_console.steps.rows import tabulated

TABLE = "result[].{time: timestamp, message: event_message}"


def test_without_an_end_it_is_one_minute() -> None:
    now = datetime.now(UTC)
    half_an_hour_ago = now - timedelta(minutes=30)
    assert logged("postgres_logs", Faults(), half_an_hour_ago) == []
    found = logged("postgres_logs", Faults(), half_an_hour_ago, now)
    assert len(found) == 2
    rows = tabulated({"result": found, "error": None}, TABLE).rows
    assert rows is not None
    for row in rows:
        at = datetime.fromisoformat(str(row["time"]))
        assert timedelta() <= now - at < timedelta(minutes=1)
