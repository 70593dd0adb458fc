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
_MOST_TEXT = 300


def control_service(
    token: str, story: Story, truths: Callable[[], Awaitable[dict[str, object]]]
) -> Starlette:
    """`GET /state`, `GET /story`, `POST /heal`, `POST /fault`, `POST /alarm`, `POST /stopped`; each
    answers with the state.

    `/story` is the state without truths, and `/alarm`, which says that the console shows an alert, answers
    so too: neither asks the database. `/stopped` takes `{"step", "title", "why"}`, all texts: a destructive
    step was begun and not done. `/fault` takes a fault's JSON, or an empty body for the scenario's
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

    async def stopped(request: Request) -> Response:
        body = await bounded(request)
        if body is None:
            return JSONResponse({"error": "too long"}, status_code=413)
        try:
            told_of = json.loads(body)
            texts = [told_of[name] for name in ("step", "title", "why")]
        except (ValueError, KeyError, TypeError):
            texts = []
        if not texts or not all(isinstance(text, str) and text for text in texts):
            error = "an attempt is {step, title, why}, each a text"
            return JSONResponse({"error": error}, status_code=422)
        story.stopped(*(text[:_MOST_TEXT] for text in texts))
        return await told(request)

    async def bounded(request: Request) -> bytes | None:
        """The body, or None where there is too much of it."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                return None
        return body

    async def fault(request: Request) -> Response:
        body = await bounded(request)
        if body is None:
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
            Route("/stopped", guarded(stopped), methods=["POST"]),
            Route("/fault", guarded(fault), methods=["POST"]),
        ]
    )
