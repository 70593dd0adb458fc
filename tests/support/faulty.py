"""A service that answers as it should not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any


@dataclass
class Faulty:
    """Passes requests on to `application`, or answers instead of it; the clock it tells may be off.

    With a `status` it answers itself; `wait_s` is how long everything takes longer; `minutes` is how far its
    clock is ahead of ours.
    """

    application: Any
    status: int = 0
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    wait_s: float = 0.0
    minutes: float = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(self.wait_s)
        if not self.status:
            await self.application(scope, receive, self._dated(send))
            return
        told = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        told += [(b"content-length", str(len(self.body)).encode())]
        sender = self._dated(send)
        await sender({"type": "http.response.start", "status": self.status, "headers": told})
        await sender({"type": "http.response.body", "body": self.body})

    def _dated(self, send: Any) -> Any:
        async def sender(message: Any) -> None:
            if self.minutes and message["type"] == "http.response.start":
                date = format_datetime(datetime.now(UTC) + timedelta(minutes=self.minutes), usegmt=True)
                message = {**message, "headers": [*message["headers"], (b"date", date.encode())]}
            await send(message)

        return sender
