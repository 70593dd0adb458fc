"""Writing all rows of a statement into a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from isla_console.session.sql_view import Query, SqlView
from isla_console.sql.engine import SqlEngine
from isla_console.sql.export import ExportFile, Format, export_path

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
) -> None:
    """Write a statement's rows into a new file of `folder` and say where; half an export is removed."""
    try:
        file = ExportFile(export_path(folder, kind, now), kind)
    except OSError as error:
        view.say(f"Not exported: {error.strerror}: {folder}")
        return
    view.say("Exports …  X stops it")
    done = False
    try:
        result = await engine.stream(query.text, params, file.take, TIMEOUT_S)
        if result.ok:
            file.finish()
            done = True
            view.say(f"{file.rows} rows in {file.path}")
        else:
            view.show_result(result, query)
            view.say("Nothing was exported.")
    except OSError as error:
        view.say(f"Not exported: {error.strerror}")
    finally:
        if not done:
            file.abandon()
