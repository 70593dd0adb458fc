"""The vendors' status pages, with their shapes: Atlassian Statuspage for two, Stripe's own for the third."""

from datetime import UTC, datetime
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isla_console.drill.faults import Faults

_PAGES: Final = {
    "vercel": ("Vercel", "https://www.vercel-status.com", ("Edge Functions", "Builds", "Dashboard")),
    "supabase": ("Supabase", "https://status.supabase.com", ("Auth", "Database", "API Gateway", "Storage")),
}
_INDICATORS: Final = {
    "degraded": ("minor", "Partially Degraded Service", "degraded_performance"),
    "down": ("major", "Partial System Outage", "major_outage"),
}


def status_service(faults: Faults) -> Starlette:
    """`/vercel/api/v2/summary.json`, `/supabase/api/v2/summary.json`, `/stripe/current`."""
    since = datetime.now(UTC)
    began: dict[str, datetime] = {}

    def trouble(vendor: str) -> str | None:
        state = faults.vendor(vendor)
        if state is None:
            began.pop(vendor, None)
        else:
            began.setdefault(vendor, datetime.now(UTC))
        return state

    async def summary(request: Request) -> Response:
        vendor = request.path_params["vendor"]
        if vendor not in _PAGES:
            return JSONResponse({"error": "not found"}, status_code=404)
        name, url, parts = _PAGES[vendor]
        state = trouble(vendor)
        if state == "unreadable":
            return Response("<html><title>We moved</title></html>", media_type="text/html")
        indicator, description, part_state = _INDICATORS.get(
            state or "", ("none", "All Systems Operational", "operational")
        )
        at = began.get(vendor, since).isoformat(timespec="milliseconds")
        incident: dict[str, Any] = {
            "id": "drill0000001",
            "name": f"Elevated errors on {parts[0]}",
            "status": "investigating",
            "impact": indicator,
            "created_at": at,
            "started_at": at,
            "updated_at": at,
            "incident_updates": [],
            "components": [],
        }
        return JSONResponse(
            {
                "page": {"id": f"{vendor}drill", "name": name, "url": url, "updated_at": at},
                "components": [
                    {
                        "id": f"{vendor}{number}",
                        "name": part,
                        "status": part_state if number == 0 else "operational",
                        "group": False,
                        "updated_at": at,
                    }
                    for number, part in enumerate(parts)
                ],
                "incidents": [incident] if state else [],
                "scheduled_maintenances": [],
                "status": {"indicator": indicator, "description": description},
            }
        )  # fmt: skip

    async def current(request: Request) -> Response:
        state = trouble("stripe")
        if state == "unreadable":
            return Response("<html><title>We moved</title></html>", media_type="text/html")
        large = state or "up"
        return JSONResponse(
            {
                "largestatus": large,
                "message": "All services are online." if large == "up" else "Some services are affected.",
                "time": datetime.now(UTC).strftime("%b %d, %I:%M %p UTC"),
                "statuses": {"api": large, "dashboard": "up", "stripejs": "up", "checkoutjs": "up"},
            }
        )

    return Starlette(
        routes=[Route("/{vendor}/api/v2/summary.json", summary), Route("/stripe/current", current)]
    )
