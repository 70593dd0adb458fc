"""Writing all rows of a statement into a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from isla_console.session.sql_view import Query, SqlView
from isla_console.sql.engine import SqlEngine
from isla_console.sql.export import ExportFile, Format, export_path
from isla_console.sql.rows import EXPORTED

TIMEOUT_S = 600.0
"""The server's time limit in seconds; an export is longer than what a person reads."""


async def export(
    view: SqlView,
    engine: SqlEngine,
    query: Query,
    params: Sequence[str],
    *,
    folder: Path,
    kind: Format,
    now: datetime,
    unproven: bool = False,
) -> None:
    """Write a statement's rows into a new file of `folder` and say where; half an export is removed.

    `unproven` lets a statement run that is not proven to read only.
    """
    try:
        file = ExportFile(export_path(folder, kind, now), kind)
    except OSError as error:
        view.say(f"Not exported: {error.strerror}: {folder}")
        return
    view.say("Exports …  X stops it")
    done = False
    try:
        result = await engine.stream(query.text, params, file.take, TIMEOUT_S, unproven=unproven)
        if result.ok:
            file.finish()
            done = True
            view.say(f"{file.rows} rows in {file.path}{_cut(result.cut)}")
        else:
            view.show_result(result, query)
            view.say("Nothing was exported.")
    except OSError as error:
        view.say(f"Not exported: {error.strerror}")
    finally:
        if not done:
            file.abandon()


def _cut(cells: int) -> str:
    """Return that cells were cut, and how to have them whole; "" when none was."""
    if not cells:
        return ""
    many = "1 cell was" if cells == 1 else f"{cells} cells were"
    return f"; {many} cut at {EXPORTED.cell // 1024**2} MiB: psql's \\copy writes them whole"
