"""The neighbour on the console's own network link: it accepts connections, unless the link is lost."""

from __future__ import annotations

import asyncio

from isla_console.drill.scenario.faults import Faults

_POLL_S = 0.25


class Neighbour:
    """The address in ISLA_LINK_CHECK. While the link is lost, nothing listens on its port."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen on a free port of 127.0.0.1, and return it."""
        self._server = await asyncio.start_server(_accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def run(self) -> None:
        """Close and open with the link, until cancelled."""
        while True:
            await asyncio.sleep(_POLL_S)
            if self._faults.link_lost and self._server is not None:
                self._server.close()
                self._server = None
            elif not self._faults.link_lost and self._server is None:
                await self.open()


async def _accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
