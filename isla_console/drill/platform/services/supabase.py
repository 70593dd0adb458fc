"""The Supabase project's gateway: the REST and Auth paths that the runbook and the probes ask."""

from __future__ import annotations

import random

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isla_console.drill.platform.services.http import Handler, guarded
from isla_console.drill.platform.services.simulated import application, simulated
from isla_console.drill.scenario.faults import Faults, Service


def supabase_service(anon_key: str, faults: Faults, rng: random.Random) -> Starlette:
    """Make the gateway, which answers to the project's public key."""

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

    table: tuple[tuple[str, str, Service, Handler], ...] = (
        ("POST", "/auth/v1/otp", "auth", _send_magic_link),
        ("GET", "/auth/v1/health", "auth", _auth_health),
        ("GET", "/rest/v1/", "rest", _rest),
    )
    return application(
        [
            Route(path, simulated(service, faults, rng, guarded(handler, refusal)), methods=[method])
            for method, path, service, handler in table
        ]
    )


async def _send_magic_link(request: Request) -> Response:
    """Mail nothing, and create no user for an unknown address."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "@" not in str(body.get("email")):
        error = {"code": 400, "error_code": "validation_failed", "msg": "Unable to validate email address"}
        return JSONResponse(error, status_code=400)
    return JSONResponse({})


async def _auth_health(request: Request) -> Response:
    return JSONResponse(
        {
            "version": "v2.184.0",
            "name": "GoTrue",
            "description": "GoTrue is a user registration and authentication API",
        }
    )


async def _rest(request: Request) -> Response:
    return JSONResponse(
        {
            "message": "Access to schema is forbidden",
            "hint": "Accessing the schema via the Data API is only allowed using a secret API key.",
        },
        status_code=401,
    )
