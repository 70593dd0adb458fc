"""The database of the drill: its schema, thirty days of rows, and the roles' passwords."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from isla_console.drill.platform.postgres.server import SUPERUSER

_SQL = Path(__file__).parent / "sql"

ROLES = ("postgres", "authenticator", "supabase_auth_admin", "isla_app", "isla_readonly")
"""Roles that log in, apart from the superuser. `isla_readonly` is the console's."""


def schema_sql() -> str:
    """Return the SQL that makes the drill's tables and roles."""
    return (_SQL / "schema.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Database:
    """How to reach the drill's database. Every run has new passwords."""

    port: int
    passwords: dict[str, str] = field(repr=False)

    async def connect(self, role: str, application_name: str) -> asyncpg.Connection[Any]:
        """Connect as `role`.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError: It was refused, or no connection is free.
        """
        return await connect(self.port, role, self.passwords[role], application_name)

    def url(self, role: str) -> str:
        """Return the connection string for `role`, password included."""
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/postgres?sslmode=disable"


async def connect(port: int, role: str, password: str, application_name: str) -> asyncpg.Connection[Any]:
    """Connect to the server on a port of 127.0.0.1."""
    return await asyncpg.connect(
        host="127.0.0.1",
        port=port,
        user=role,
        password=password,
        database="postgres",
        ssl=False,
        timeout=10,
        server_settings={"application_name": application_name},
    )


async def create_schema(port: int, password: str) -> None:
    """Create the roles and tables in a new cluster."""
    connection = await connect(port, SUPERUSER, password, "drill")
    try:
        await connection.execute(schema_sql())
    finally:
        await connection.close()


async def take_over(port: int, password: str) -> Database:
    """Give every role of a copied cluster a new password, including the superuser.

    Args:
        port: The server's port on 127.0.0.1.
        password: The superuser's password in the template.
    """
    passwords = {role: secrets.token_hex(16) for role in (*ROLES, SUPERUSER)}
    connection = await connect(port, SUPERUSER, password, "drill")
    try:
        # The passwords are long and random: hashing them many times would only slow each login.
        await connection.execute("SET scram_iterations = 256")
        for role, new in passwords.items():
            await connection.execute(f"ALTER ROLE {role} PASSWORD '{new}'")
    finally:
        await connection.close()
    return Database(port, passwords)


async def seed(database: Database) -> int:
    """Fill the tables with thirty days up to now; return the number of clicks."""
    connection = await database.connect(SUPERUSER, "drill")
    try:
        async with connection.transaction():
            await connection.execute((_SQL / "seed.sql").read_text(encoding="utf-8"))
        clicks: int = await connection.fetchval("SELECT count(*) FROM public.click_events")
        return clicks
    finally:
        await connection.close()
