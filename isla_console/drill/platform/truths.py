"""The platform's truths: what it knows itself, to compare with what the console shows."""

from __future__ import annotations

import asyncpg

from isla_console.drill.platform.postgres.database import Database
from isla_console.drill.platform.postgres.server import SUPERUSER
from isla_console.drill.platform.services.redirects import Redirects
from isla_console.drill.platform.services.stripe_account import StripeAccount
from isla_console.drill.scenario.faults import SERVICES, Faults


class Truths:
    """The current numbers of the services and the database."""

    def __init__(
        self, database: Database, redirects: Redirects, faults: Faults, account: StripeAccount
    ) -> None:
        self._database = database
        self._redirects = redirects
        self._faults = faults
        self._account = account

    async def read(self) -> dict[str, object]:
        """Return the numbers, ready for JSON."""
        return {
            **self._redirects.truths(),
            "added_ms": {service: self._faults.added_ms(service) for service in SERVICES},
            "stripe_requests": self._account.requests,
            "stripe_requests_most_a_second": self._account.most_requests_a_second,
            "client_backends": await self._client_backends(),
        }

    async def _client_backends(self) -> int | None:
        """Count the clients' connections without this one; None if the database cannot be asked."""
        try:
            connection = await self._database.connect(SUPERUSER, "drill")
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return None
        try:
            count: int = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return count
        finally:
            await connection.close(timeout=2)
