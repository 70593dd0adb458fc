"""Which of the console's database connections is used for what."""

from __future__ import annotations

from isla_console.database.session import DatabaseSession
from isla_console.session.session import Session
from isla_console.sql.database import Database


def database_of(session: Session) -> Database:
    """Return the SQL page's connections, which are made when they are first asked for."""
    session.open_database()
    assert session.database is not None
    return session.database


def panels_connection(session: Session) -> DatabaseSession | None:
    """Return the connection that the panels are measured over, which no long statement ever occupies.

    Where there is none, the SQL page's reading connection; None where no address is set.
    """
    panels = session.monitor.database if session.monitor is not None else None
    if panels is not None:
        return panels
    engine = database_of(session).engine
    return engine.session if engine is not None else None
