"""What the HTTP stand-ins share."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]


def guarded(handler: Handler, refusal: Callable[[Request], Response | None]) -> Handler:
    """Return `handler` behind a check: the answer of `refusal`, if it has one, comes instead."""

    async def handle(request: Request) -> Response:
        return refusal(request) or await handler(request)

    return handle


def bears(request: Request, token: str) -> bool:
    """Return whether a request carries this bearer token."""
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
