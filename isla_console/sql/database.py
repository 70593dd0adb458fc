"""The SQL page's connections, and whether writing is unlocked.

A console holds up to three connections, all opened at start, so that it keeps them when the server has no
slot left: one for the panels (the poller's), one for reading here, and, where ISLA_DATABASE_ADMIN_URL is set,
the armed one, which can write.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from isla_console.database.session import SessionReading
from isla_console.settings.resolve import Settings
from isla_console.sql.engine import KEEP_S, SqlEngine, pane_session
from isla_console.sql.writing import Writer

ADMIN_VARIABLE: Final = "ISLA_DATABASE_ADMIN_URL"
UNLOCK: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Unlock:
    """Writing is allowed until a moment, for a reason."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The page's connections and its lock at one moment, ready to draw."""

    reading: SessionReading | None
    """The reading connection; None where no address is set."""
    armed: SessionReading | None
    """The writing connection; None where ISLA_DATABASE_ADMIN_URL is not set."""
    unlock: Unlock | None = None


class Database:
    """Owns the engine, the writer and the lock."""

    def __init__(self, engine: SqlEngine | None, writer: Writer | None) -> None:
        self.engine = engine
        self.writer = writer
        self._unlock: Unlock | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Database:
        """Make the connections that the settings allow, without opening them."""
        name = f"isla-console/{settings.actor}@{settings.host}"
        dsn = settings.secret(ADMIN_VARIABLE)
        writer = Writer(pane_session(dsn, name, ADMIN_VARIABLE)) if dsn is not None else None
        return cls(SqlEngine.from_settings(settings), writer)

    async def keep(self) -> None:
        """Open the connections and keep them until cancelled; `close` closes them."""
        keepers = [self.engine.keep()] if self.engine else []
        if self.writer is not None:
            keepers.append(self.writer.session.keep(KEEP_S))
        await asyncio.gather(*keepers)

    async def close(self) -> None:
        """Close the connections."""
        if self.engine is not None:
            await self.engine.close()
        if self.writer is not None:
            await self.writer.session.close()

    def unlock(self, reason: str, now: datetime) -> Unlock:
        """Allow writing for five minutes from now."""
        self._unlock = Unlock(now + UNLOCK, reason)
        return self._unlock

    def lock(self) -> None:
        """Forbid writing again."""
        self._unlock = None

    def unlocked(self, now: datetime) -> Unlock | None:
        """Return the unlock in force, if any; it ends by itself."""
        if self._unlock is not None and now >= self._unlock.until:
            self._unlock = None
        return self._unlock

    def standing(self, now: datetime) -> Standing:
        """Return the connections and the lock as they are."""
        return Standing(
            self.engine.reading() if self.engine else None,
            self.writer.session.reading() if self.writer else None,
            self.unlocked(now),
        )
