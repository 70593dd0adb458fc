"""An ASGI application on a real loopback port, with a record of what it was asked."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Recorded:
    """Passes requests on and notes their time and target."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.asked: list[tuple[float, str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            now = asyncio.get_running_loop().time()
            self.asked.append((now, scope["method"], scope["path"]))
        await self._application(scope, receive, send)

    @property
    def paths(self) -> list[str]:
        return [path for _, _, path in self.asked]


@contextlib.asynccontextmanager
async def served(application: Any, *, dated: bool = True) -> AsyncIterator[str]:
    """The URL at which it answers, until the context ends; `dated`: the server adds the Date header."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    config = uvicorn.Config(
        application,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=0,
        date_header=dated,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
