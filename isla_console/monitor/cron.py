"""Scheduled jobs by pg_cron's records: which one fails, and which one is late. Pure.

A scheduler that stopped leaves no failed run, only no run, so that a job is judged by its schedule too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from isla_console.text.times import clock_text, full_text

SPARE = timedelta(minutes=5)
"""How late any job may begin, besides the time until its next run."""
MOST_SPARE = timedelta(hours=1)

_EVERY_SECONDS = re.compile(r"([0-9]{1,4}) seconds?")
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A job and its newest runs. Times are aware."""

    name: str
    schedule: str
    status: str
    """The state of its newest run: `starting`, `running`, `succeeded`, `failed` ..."""
    started_at: datetime | None
    """When its newest run began."""
    failed_at: datetime | None = None
    """When the newest run that ended began, if it failed."""
    message: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether its newest run is over."""
        return self.status in {"succeeded", "failed"}


def problem_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return what is wrong with the jobs in pg_cron's records; "" when nothing is.

    Args:
        rows: One for each job, the one with the newest run first, each with `name`, `schedule`, `status`,
            `started_at`, `failed_at` and `message` as in `Job`, and the server's `now`, `timezone` and
            `log_run` (cron's settings; None where they are not known).

    Raises:
        KeyError: A column is missing.
    """
    jobs, now, zone, is_logged = [], datetime.min.replace(tzinfo=UTC), "", True
    for row in rows:
        now, zone, is_logged = row["now"], row["timezone"] or "", row["log_run"] != "off"
        failed_at, message = row["failed_at"], str(row["message"] or "").partition("\n")[0]
        schedule = " ".join(str(row["schedule"]).lower().split())
        jobs.append(Job(str(row["name"]), schedule, row["status"], row["started_at"], failed_at, message))
    return (_late(jobs, now, zone_of(zone)) if is_logged else "") or _failed(jobs, now)


def must_have_begun(schedule: str, now: datetime, zone: tzinfo = UTC) -> datetime | None:
    """Return the moment since which a job must have begun, or else it is late; None without one.

    It is the newest due time that is long enough ago: longer than the time until the next one, of which at
    most an hour counts, and five minutes.

    Args:
        schedule: As pg_cron takes it: five fields with `$` for a month's last day, `30 seconds`, `@daily`.
        now: Aware.
        zone: The time zone of the schedule's hours.
    """
    if match := _EVERY_SECONDS.fullmatch(schedule):
        return now - 2 * timedelta(seconds=int(match[1])) - SPARE
    schedule = _MACROS.get(schedule, schedule).replace("$", "L")
    if len(schedule.split()) != 5:
        return None
    local = now.astimezone(zone)
    try:
        # With a fraction of a second, the current second counts too.
        before = CronSim(schedule, local.replace(microsecond=1), reverse=True)
        following = next(CronSim(schedule, local)).astimezone(UTC)
        while True:
            due = next(before).astimezone(UTC)
            if due + min(following - due, MOST_SPARE) + SPARE <= now:
                return due
            following = due
    except (CronSimError, StopIteration, OverflowError):
        return None


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name; UTC for pg_cron's own `GMT` and for an unknown name."""
    try:
        return ZoneInfo(name) if name not in {"", "GMT", "UTC"} else UTC
    except (OSError, ValueError, KeyError):
        return UTC


def _late(jobs: Iterable[Job], now: datetime, zone: tzinfo) -> str:
    """Return that jobs are late, naming the one that should have run most often; "" when none is."""
    late = []
    for job in jobs:
        due = must_have_begun(job.schedule, now, zone)
        if due is not None and job.has_ended and job.started_at is not None and job.started_at < due:
            late.append((now - due, job.started_at, job.name, job.schedule))
    if not late:
        return ""
    _, since, name, schedule = min(late)
    more = f", nor have {len(late) - 1} more" if len(late) > 1 else ""
    return f"{name} has not run since {full_text(since)} ({schedule}){more}: is the scheduler running?"


def _failed(jobs: Iterable[Job], now: datetime) -> str:
    for job in jobs:
        if job.failed_at is not None:
            message = f": {job.message}" if job.message else ""
            return f"{job.name} failed at {clock_text(job.failed_at, now)}{message}"
    return ""
