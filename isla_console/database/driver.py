"""The connection as asyncpg makes it, with its session-wide habits taken away.

asyncpg asks for values in binary form, looks types up that it does not know and sets `jit` meanwhile, and
keeps named prepared statements. Behind a pooler each of these is left to whoever gets the server's connection
next. Here every value of every type is asked for as text, so that there is nothing to look up but a name, and
a statement has no name. Import it only when a connection is about to be made: asyncpg is heavy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg.protocol.protocol import BUILTIN_TYPE_OID_MAP

from isla_console.database.incoming import Incoming
from isla_console.database.values import as_parameter, load

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection

_TYPE_NAMES = "SELECT oid::pg_catalog.int8, typname FROM pg_catalog.pg_type WHERE oid = ANY($1::oid[])"


class AnswerTooLong(ValueError):
    """A question of the console's own was answered with more than is kept."""


class TextConnection(_Connection):
    """A connection whose rows hold PostgreSQL's own text, and whose questions leave nothing behind.

    `prepare` and `cursor` give text; `fetch`, `fetchrow` and `fetchval` give values to compute with.
    """

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        settings = self.get_settings()
        for oid, name in BUILTIN_TYPE_OID_MAP.items():
            settings.set_builtin_type_codec(oid, _shown(name), "pg_catalog", "scalar", "text", "text")
        self.incoming = Incoming(protocol)
        transport.set_protocol(self.incoming)

    async def fetch(self, query: str, *args: Any, **_: Any) -> list[Mapping[str, Any]]:  # type: ignore[override]
        """Return the rows of one statement with values to compute with; arguments may be Python's.

        Raises:
            AnswerTooLong: It has more than is kept.
        """
        self.incoming.begin()
        statement = await self.prepare(query, name="")
        rows = await statement.fetch(*map(as_parameter, args))
        if self.incoming.dropped:
            mib = self.incoming.received // 1024**2
            raise AnswerTooLong(f"the answer is too long: {mib} MiB in {self.incoming.rows} rows")
        columns = [(one.name, one.type.name) for one in statement.get_attributes()]
        return [
            {name: load(value, type_name) for (name, type_name), value in zip(columns, row, strict=True)}
            for row in rows
        ]

    async def fetchrow(self, query: str, *args: Any, **_: Any) -> Mapping[str, Any] | None:  # type: ignore[override]
        """Return the first row of one statement, or None."""
        return next(iter(await self.fetch(query, *args)), None)

    async def fetchval(self, query: str, *args: Any, **_: Any) -> Any:
        """Return the first value of the first row of one statement, or None."""
        row = await self.fetchrow(query, *args)
        return next(iter(row.values()), None) if row is not None else None

    async def _introspect_types(self, typeoids: Any, _: float | None) -> tuple[list[Any], Any]:
        """Take types that are not known as text, in place of looking up how they are made.

        The question for their names has replaced the unnamed statement that they belong to, which the answer
        says, so that it is sent again.
        """
        settings = self.get_settings()
        names = {}
        if asked := [oid for oid in typeoids if oid not in BUILTIN_TYPE_OID_MAP]:
            for row in await self.fetch(_TYPE_NAMES, asked):
                names[row["oid"]] = row["typname"]
        for oid in typeoids:
            name = _shown(names.get(oid, str(oid)))
            settings.set_builtin_type_codec(oid, name, "", "scalar", "text", "text")
        return [], SimpleNamespace(name="")


def _shown(name: str) -> str:
    """Return a type's name, an array's as people write it: `int4[]` for `_int4`."""
    return f"{name[1:]}[]" if name.startswith("_") else name


async def connect(dsn: str, settings: Mapping[str, str] | None = None) -> TextConnection:
    """Connect. Nothing is set but `settings`, from the start, which only a session of one's own may have."""
    made = await asyncpg.connect(
        dsn,
        connection_class=TextConnection,
        statement_cache_size=0,
        server_settings=dict(settings) if settings else None,
    )
    assert isinstance(made, TextConnection)
    return made


async def hands_connections_on(dsn: str) -> bool:
    """Return whether a pooler gives a server's connection to others between our transactions.

    Two clients ask in turns which process serves them: a session of one's own always has the same, and no
    other client has it meanwhile.
    """
    process = "SELECT pg_catalog.pg_backend_pid()"
    first = await connect(dsn)
    try:
        ours = await first.fetchval(process)
        if ours == first.get_server_pid():
            return False
        second = await connect(dsn)
        try:
            await second.execute("BEGIN READ ONLY")
            return bool(ours == await second.fetchval(process) or ours != await first.fetchval(process))
        finally:
            second.terminate()
    finally:
        first.terminate()
