"""How our own services answer: each with its own latency, and with the faults in force."""

from __future__ import annotations

import asyncio
import random

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from isla_console.drill.platform.services.http import Handler
from isla_console.drill.scenario.faults import Faults, Service

# Milliseconds: least, most, most often. Small, but they vary.
_LATENCY_MS: dict[Service, tuple[float, float, float]] = {
    "app": (38, 82, 50),
    "webhook": (38, 82, 50),
    "rest": (8, 22, 12),
    "auth": (14, 40, 22),
}


def simulated(service: Service, faults: Faults, rng: random.Random, handler: Handler) -> Handler:
    """Return `handler` with the service's own latency and the faults in force."""

    async def handle(request: Request) -> Response:
        loop = asyncio.get_running_loop()
        done = loop.time() + (rng.triangular(*_LATENCY_MS[service]) + faults.added_ms(service)) / 1000
        status = faults.error(service, rng.random())
        response = failure(status) if status else await handler(request)
        await asyncio.sleep(done - loop.time())
        return response

    return handle


def failure(status: int) -> Response:
    """Answer as a serverless host does for a function that failed."""
    return PlainTextResponse(
        "A server error has occurred\n\nFUNCTION_INVOCATION_FAILED\n", status_code=status
    )


def application(routes: list[Route]) -> Starlette:
    """Return an application in which a path with a slash at its end is another path."""
    found = Starlette(routes=routes)
    found.router.redirect_slashes = False
    return found
