"""The health of the server apart from its sessions: headroom, cache, bloat, replication, cron."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.sql.queries import query
from isla_console.text.spans import span_text

State = Literal["ok", "elevated", "alert", "unknown"]
DEADLINE_S = 4.0
FULL = 0.8
LONG_TRANSACTION_S = 300.0
GOOD_CACHE = 95.0


@dataclass(frozen=True, slots=True)
class Health:
    """One finding, in words."""

    id: str
    title: str
    state: State
    text: str


async def read(database: DatabaseSession) -> tuple[Health, ...]:
    """Return all findings, or one that says why the server cannot be asked. Never raises."""
    try:
        rows = await database.rows(query("health"), deadline_s=DEADLINE_S)
    except DatabaseUnavailable as unavailable:
        return (Health("health", "Health", "unknown", unavailable.failure.reason),)
    found = list(judge(rows[0]))
    if rows[0]["has_cron"]:
        found.append(await _cron(database))
    return tuple(found)


def judge(row: Mapping[str, Any]) -> tuple[Health, ...]:
    """Return what the figures of `health.sql` mean."""
    room = row["max_connections"] - row["reserved"]
    used = row["clients"] / max(1, room)
    longest = row["longest_transaction_s"] or 0.0
    cache = row["cache_hit"]
    headroom = f"{row['clients']} of {room} used ({row['reserved']} more are reserved)"
    if row["hidden"]:
        headroom += f"; {row['hidden']} sessions are hidden from this role"
    return (
        Health("connections", "Connections", _above(used, FULL, 0.95), headroom),
        Health(
            "transaction",
            "Longest transaction",
            _above(longest, LONG_TRANSACTION_S, 3600),
            span_text(longest),
        ),
        _listed("prepared", "Prepared transactions", row["prepared"], "none older than 5 min"),
        Health(
            "cache",
            "Cache hits",
            "unknown" if cache is None else "ok" if cache >= GOOD_CACHE else "elevated",
            "nothing read yet" if cache is None else f"{cache:g} % of blocks",
        ),
        Health("size", "Size of the database", "ok", row["size"]),
        _listed("bloat", "Bloat suspects", row["bloated"], "no table with a fifth of dead rows"),
        _listed("scans", "Read from end to end", row["read_from_end_to_end"], "no big table lacks an index"),
        _listed("unused", "Indexes never used", row["unused_indexes"], "none above 1 MB"),
        _listed("slots", "Replication slots", row["idle_slots"], f"none idle; {row['replicas']} replicas"),
        Health(
            "read-only",
            "Read-only mode",
            "alert" if row["made_read_only"] else "elevated" if row["replica"] else "ok",
            "the database or a role was made read-only: hosts do that when the disk fills"
            if row["made_read_only"]
            else "this is a replica"
            if row["replica"]
            else "writes are allowed",
        ),
    )


async def _cron(database: DatabaseSession) -> Health:
    try:
        rows = await database.rows(query("cron"), deadline_s=DEADLINE_S)
    except DatabaseUnavailable as unavailable:
        reason = unavailable.failure.reason
        return Health("cron", "Cron failures, 24 h", "unknown", f"cannot be seen: {reason}")
    row = rows[0]
    if not row["runs"]:
        return Health("cron", "Cron failures, 24 h", "unknown", "no runs are recorded: is it running at all?")
    state: State = "alert" if row["failed"] else "ok"
    return Health("cron", "Cron failures, 24 h", state, f"{row['failed']} of {row['runs']} runs failed")


def _above(value: float, elevated: float, alert: float) -> State:
    return "alert" if value > alert else "elevated" if value > elevated else "ok"


def _listed(id: str, title: str, names: str | None, none: str) -> Health:
    return Health(id, title, "elevated" if names else "ok", names or none)
