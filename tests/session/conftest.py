"""A PostgreSQL of its own for what the session does to a database."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.sql.conftest import Server, running


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with running("embedded") as found:
        yield found


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[Any]:
    connection = await server.connect(name="admin")
    yield connection
    await connection.close()
