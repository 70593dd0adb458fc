"""Google's tokeninfo: in a drill every token is invalid, and nothing outside is asked."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def google_service() -> Starlette:
    """Make oauth2.googleapis.com, as far as the runbook asks it."""
    return Starlette(routes=[Route("/tokeninfo", _tokeninfo, methods=["POST"])])


async def _tokeninfo(request: Request) -> Response:
    form = (await request.body()).decode("utf-8", "replace")
    if "access_token=" not in form:
        return JSONResponse(
            {"error": "invalid_request", "error_description": "Required parameter is missing"},
            status_code=400,
        )
    return JSONResponse({"error": "invalid_token", "error_description": "Invalid Value"}, status_code=400)
