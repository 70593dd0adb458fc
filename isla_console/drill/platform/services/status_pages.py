"""The vendors' status pages: Atlassian Statuspage's format for two of them, Stripe's own for the third."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isla_console.drill.scenario.faults import Faults

_PAGES: Final = {
    "vercel": ("Vercel", "https://www.vercel-status.com", ("Edge Functions", "Builds", "Dashboard")),
    "supabase": ("Supabase", "https://status.supabase.com", ("Auth", "Database", "API Gateway", "Storage")),
}
_INDICATORS: Final = {
    "degraded": ("minor", "Partially Degraded Service", "degraded_performance"),
    "down": ("major", "Partial System Outage", "major_outage"),
}


def status_service(faults: Faults) -> Starlette:
    """Make `/vercel/api/v2/summary.json`, `/supabase/api/v2/summary.json` and `/stripe/current`."""
    pages = _StatusPages(faults)
    return Starlette(
        routes=[
            Route("/{vendor}/api/v2/summary.json", pages.statuspage),
            Route("/stripe/current", pages.stripe),
        ]
    )


class _StatusPages:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._since = datetime.now(UTC)
        self._trouble_since: dict[str, datetime] = {}

    async def statuspage(self, request: Request) -> Response:
        vendor = request.path_params["vendor"]
        if vendor not in _PAGES:
            return JSONResponse({"error": "not found"}, status_code=404)
        trouble = self._trouble(vendor)
        if trouble == "unreadable":
            return _unreadable()
        return JSONResponse(_summary(vendor, trouble, self._trouble_since.get(vendor, self._since)))

    async def stripe(self, request: Request) -> Response:
        trouble = self._trouble("stripe")
        if trouble == "unreadable":
            return _unreadable()
        status = trouble or "up"
        return JSONResponse(
            {
                "largestatus": status,
                "message": "All services are online." if status == "up" else "Some services are affected.",
                "time": datetime.now(UTC).strftime("%b %d, %I:%M %p UTC"),
                "statuses": {"api": status, "dashboard": "up", "stripejs": "up", "checkoutjs": "up"},
            }
        )

    def _trouble(self, vendor: str) -> str | None:
        state = self._faults.vendor(vendor)
        if state is None:
            self._trouble_since.pop(vendor, None)
        else:
            self._trouble_since.setdefault(vendor, datetime.now(UTC))
        return state


def _summary(vendor: str, trouble: str | None, since: datetime) -> dict[str, Any]:
    name, url, parts = _PAGES[vendor]
    indicator, description, part_status = _INDICATORS.get(
        trouble or "", ("none", "All Systems Operational", "operational")
    )
    at = since.isoformat(timespec="milliseconds")
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
    components = [
        {
            "id": f"{vendor}{number}",
            "name": part,
            "status": part_status if number == 0 else "operational",
            "group": False,
            "updated_at": at,
        }
        for number, part in enumerate(parts)
    ]
    return {
        "page": {"id": f"{vendor}drill", "name": name, "url": url, "updated_at": at},
        "components": components,
        "incidents": [incident] if trouble else [],
        "scheduled_maintenances": [],
        "status": {"indicator": indicator, "description": description},
    }


def _unreadable() -> Response:
    return Response("<html><title>We moved</title></html>", media_type="text/html")
