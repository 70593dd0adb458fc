"""How far maintenance has got, as the server reports it."""

from __future__ import annotations

from typing import Final

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.sql.queries import query

DEADLINE_S: Final = 2.0


async def progress(database: DatabaseSession) -> str:
    """Return how far vacuums, analyses, index builds and rewrites are; "" when the server reports nothing.

    Never raises.
    """
    try:
        rows = await database.rows(query("progress"), deadline_s=DEADLINE_S)
    except DatabaseUnavailable:
        return ""
    return "; ".join(
        row["phase"] + (f" {row['percent']:.0f} %" if row["percent"] is not None else "") for row in rows
    )
