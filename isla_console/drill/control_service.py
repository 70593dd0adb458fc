"""The platform's remote control: what is so, heal, inject. Loopback, with a token."""

import hmac
import json
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isla_console.drill.faults import FaultError, parse_fault
from isla_console.drill.story import Story

Handler = Callable[[Request], Awaitable[Response]]

_MOST_BYTES = 16 * 1024


def control_service(
    token: str, story: Story, truths: Callable[[], Awaitable[dict[str, object]]]
) -> Starlette:
    """`GET /state`, `GET /story`, `POST /heal`, `POST /fault`, `POST /alarm`; each answers with the state.

    `/story` is the state without truths, and `/alarm`, which says that the console shows an alert, answers
    so too: neither asks the database. `/fault` takes a fault's JSON, or an empty body for the scenario's
    next phase now.
    """

    async def state(request: Request) -> Response:
        return JSONResponse(story.state() | {"truths": await truths()})

    async def heal(request: Request) -> Response:
        story.heal()
        return await state(request)

    async def told(request: Request) -> Response:
        return JSONResponse(story.state() | {"truths": {}})

    async def alarm(request: Request) -> Response:
        story.alarm()
        return await told(request)

    async def fault(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                return JSONResponse({"error": "too long"}, status_code=413)
        try:
            story.inject(parse_fault(json.loads(body)) if body.strip() else None)
        except FaultError as error:
            return JSONResponse({"error": f"no fault: {error}"}, status_code=422)
        except ValueError:
            return JSONResponse({"error": "no fault: not JSON"}, status_code=400)
        return await state(request)

    def guarded(handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return JSONResponse({"error": "a token is needed"}, status_code=401)
            return await handler(request)

        return handle

    return Starlette(
        routes=[
            Route("/state", guarded(state), methods=["GET"]),
            Route("/heal", guarded(heal), methods=["POST"]),
            Route("/story", guarded(told), methods=["GET"]),
            Route("/alarm", guarded(alarm), methods=["POST"]),
            Route("/fault", guarded(fault), methods=["POST"]),
        ]
    )
