"""How far maintenance is, by the server's own word."""

from __future__ import annotations

from typing import Final

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.sql.catalogue import query

DEADLINE_S: Final = 2.0


async def progress(database: DatabaseSession) -> str:
    """What vacuums, analyses, index builds and rewrites are at; "" when the server says nothing.

    Never raises.
    """
    try:
        rows = await database.rows(query("progress"), deadline_s=DEADLINE_S)
    except DatabaseUnavailable:
        return ""
    return "; ".join(
        row["phase"] + (f" {row['percent']:.0f} %" if row["percent"] is not None else "") for row in rows
    )
