"""app.isla.link and isla.link: the web application with its webhook endpoint, and the short links."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from isla_console.drill.platform.services.redirects import Answer, Redirects
from isla_console.drill.platform.services.simulated import application, failure, simulated
from isla_console.drill.scenario.faults import Faults

_PROBE_AGENT = "isla-console/"
"""How the User-Agent of the console's health probes begins: they follow links without clicking."""


def app_service(pool: asyncpg.Pool[Any], faults: Faults, rng: random.Random) -> Starlette:
    """Make app.isla.link: the web application and its webhook endpoint."""

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

    return application(
        [
            Route("/api/health", simulated("app", faults, rng, health)),
            Route("/api/webhooks/stripe/health", simulated("webhook", faults, rng, webhooks)),
        ]
    )


def redirect_service(redirects: Redirects) -> Starlette:
    """Make isla.link: the short links."""

    async def health(request: Request) -> Response:
        answer = await redirects.health()
        return JSONResponse({"status": "ok"}) if answer.status == 200 else _response(answer)

    async def follow(request: Request) -> Response:
        agent = request.headers.get("user-agent", "")
        click = request.method == "GET" and not agent.startswith(_PROBE_AGENT)
        return _response(await redirects.follow(request.path_params["slug"], click=click))

    return application([Route("/health", health), Route("/{slug}", follow)])


def _response(answer: Answer) -> Response:
    if answer.location is not None:
        return Response(status_code=answer.status, headers={"Location": answer.location})
    if answer.status == 404:
        return PlainTextResponse("Link not found", status_code=404)
    return failure(answer.status)
