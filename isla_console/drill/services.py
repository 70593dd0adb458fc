"""The HTTP services of the platform, with their documented answers: one ASGI app each."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from isla_console.drill.faults import Faults, Service
from isla_console.drill.redirects import Answer, Redirects

Handler = Callable[[Request], Awaitable[Response]]

# Milliseconds: least, most, most often. Small, but alive.
_TEMPO: dict[Service, tuple[float, float, float]] = {
    "app": (38, 82, 50),
    "webhook": (38, 82, 50),
    "rest": (8, 22, 12),
    "auth": (14, 40, 22),
}
_PROBE_AGENT = "isla-console/"
"""How the console's health probes begin their User-Agent: following a link is no click then."""


def app_service(pool: "asyncpg.Pool[Any]", faults: Faults, rng: random.Random) -> Starlette:
    """app.isla.link: the web application and its webhook endpoint."""

    async def health(request: Request) -> Response:
        try:
            await pool.fetchval("SELECT 1", timeout=5)
            for number in range(faults.more_queries):
                await pool.fetchval("SELECT url FROM public.links WHERE id = $1", number, timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return JSONResponse({"status": "error", "database": "unreachable"}, status_code=503)
        return JSONResponse({"status": "ok", "database": "ok", "time": datetime.now(UTC).isoformat()})

    async def webhooks(request: Request) -> Response:
        return JSONResponse({"status": "ok", "endpoint": "stripe"})

    return _application(
        [
            Route("/api/health", _faulty("app", faults, rng, health)),
            Route("/api/webhooks/stripe/health", _faulty("webhook", faults, rng, webhooks)),
        ]
    )


def redirect_service(redirects: Redirects) -> Starlette:
    """isla.link: short links."""

    async def health(request: Request) -> Response:
        answer = await redirects.health()
        if answer.status == 200:
            return JSONResponse({"status": "ok"})
        return _redirect(answer)

    async def follow(request: Request) -> Response:
        agent = request.headers.get("user-agent", "")
        click = request.method == "GET" and not agent.startswith(_PROBE_AGENT)
        return _redirect(await redirects.follow(request.path_params["slug"], click=click))

    return _application([Route("/health", health), Route("/{slug}", follow)])


def supabase_service(anon_key: str, faults: Faults, rng: random.Random) -> Starlette:
    """The project's gateway: the REST and Auth paths that the runbook asks."""

    def refusal(request: Request) -> Response | None:
        key = request.headers.get("apikey")
        if key == anon_key:
            return None
        if key is None:
            message = "No API key found in request"
            hint = "No `apikey` request header or url param was found."
        else:
            message = "Invalid API key"
            hint = "Double check your Supabase `anon` or `service_role` API key."
        return JSONResponse({"message": message, "hint": hint}, status_code=401)

    async def rest(request: Request) -> Response:
        return refusal(request) or JSONResponse(
            {
                "message": "Access to schema is forbidden",
                "hint": "Accessing the schema via the Data API is only allowed using a secret API key.",
            },
            status_code=401,
        )

    async def auth(request: Request) -> Response:
        return refusal(request) or JSONResponse(
            {
                "version": "v2.184.0",
                "name": "GoTrue",
                "description": "GoTrue is a user registration and authentication API",
            }
        )

    async def otp(request: Request) -> Response:
        """A magic link: nothing is mailed, and an address that is nobody's is not made somebody's."""
        if (refused := refusal(request)) is not None:
            return refused
        try:
            asked = await request.json()
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or "@" not in str(asked.get("email")):
            body = {"code": 400, "error_code": "validation_failed", "msg": "Unable to validate email address"}
            return JSONResponse(body, status_code=400)
        return JSONResponse({})

    return _application(
        [
            Route("/auth/v1/otp", _faulty("auth", faults, rng, otp), methods=["POST"]),
            Route("/rest/v1/", _faulty("rest", faults, rng, rest)),
            Route("/auth/v1/health", _faulty("auth", faults, rng, auth)),
        ]
    )


def _application(routes: list[Route]) -> Starlette:
    application = Starlette(routes=routes)
    application.router.redirect_slashes = False
    return application


def _faulty(service: Service, faults: Faults, rng: random.Random, handler: Handler) -> Handler:
    """`handler` with the service's own tempo, and what faults make of it."""

    async def handle(request: Request) -> Response:
        loop = asyncio.get_running_loop()
        done = loop.time() + (rng.triangular(*_TEMPO[service]) + faults.added_ms(service)) / 1000
        status = faults.error(service, rng.random())
        response = _failure(status) if status else await handler(request)
        await asyncio.sleep(done - loop.time())
        return response

    return handle


def _redirect(answer: Answer) -> Response:
    if answer.location is not None:
        return Response(status_code=answer.status, headers={"Location": answer.location})
    if answer.status == 404:
        return PlainTextResponse("Link not found", status_code=404)
    return _failure(answer.status)


def _failure(status: int) -> Response:
    """As a serverless host answers for a function that failed."""
    return PlainTextResponse(
        "A server error has occurred\n\nFUNCTION_INVOCATION_FAILED\n", status_code=status
    )
