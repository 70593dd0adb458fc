"""Supabase's management API for the drill's project, with its documented shapes.

Health, read-only mode, logs by the current endpoint, backups, migrations, and the Auth settings: what the
runbook's steps and the console's probes ask. Read-only.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isla_console.drill.platform.services.http import Handler, bears, guarded
from isla_console.drill.scenario.faults import Faults

PROJECT_REF: Final = "drilldrilldrilldrill"

_SOURCE: Final = re.compile(r"\bsource(?:_name)?\s*=\s*'(\w+)'")
_LOGS_LAST: Final = timedelta(minutes=1)
"""What the API answers for where a request names no end."""
_LOGS: Final = ("auth_logs", "postgres_logs", "edge_logs", "supavisor_logs", "postgrest_logs")
_SERVICES: Final = ("auth", "rest", "db", "pooler")


def management_service(pool: asyncpg.Pool[Any], faults: Faults, token: str) -> Starlette:
    """Make api.supabase.com, for one project."""

    async def health(request: Request) -> Response:
        wanted = request.query_params.getlist("services")
        if not wanted or any(name not in _SERVICES for name in wanted):
            return JSONResponse({"message": "services: Invalid enum value"}, status_code=400)
        return JSONResponse([await _health(name, pool, faults) for name in wanted])

    async def logs(request: Request) -> Response:
        found = _SOURCE.search(request.query_params.get("sql", ""))
        if found is None or found[1] not in _LOGS:
            return JSONResponse({"message": "Unknown source in query"}, status_code=400)
        times = (request.query_params.get(f"iso_timestamp_{end}") for end in ("start", "end"))
        try:
            start, end = (datetime.fromisoformat(time) if time else None for time in times)
        except ValueError:
            return JSONResponse({"result": None, "error": "invalid timestamp"}, status_code=400)
        return JSONResponse({"result": logged(found[1], faults, start, end), "error": None})

    def refusal(request: Request) -> Response | None:
        if not bears(request, token):
            return JSONResponse({"message": "Unauthorized"}, status_code=401)
        if request.path_params["ref"] != PROJECT_REF:
            return JSONResponse({"message": "Project not found"}, status_code=404)
        return None

    table: tuple[tuple[str, Handler], ...] = (
        ("health", health),
        ("analytics/endpoints/logs", logs),
        ("readonly", _read_only),
        ("database/backups", _backups),
        ("database/migrations", _migrations),
        ("config/auth", _auth_config),
    )
    return Starlette(
        routes=[Route(f"/v1/projects/{{ref}}/{path}", guarded(handler, refusal)) for path, handler in table]
    )


def new_token() -> str:
    """Make a personal access token for the drill."""
    return f"sbp_{secrets.token_hex(20)}"


async def _read_only(request: Request) -> Response:
    return JSONResponse({"enabled": False, "override_enabled": False, "override_active_until": ""})


async def _backups(request: Request) -> Response:
    now = datetime.now(UTC)
    return JSONResponse(
        {
            "region": "eu-central-1",
            "walg_enabled": True,
            "pitr_enabled": True,
            "physical_backup_data": {
                "earliest_physical_backup_date_unix": int((now - timedelta(days=7)).timestamp()),
                "latest_physical_backup_date_unix": int((now - timedelta(minutes=2)).timestamp()),
            },
            "backups": [
                {
                    "is_physical_backup": True,
                    "status": "COMPLETED",
                    "inserted_at": (now - timedelta(days=day)).isoformat(),
                }
                for day in range(7)
            ],
        }
    )


async def _migrations(request: Request) -> Response:
    return JSONResponse(
        [
            {"version": "20261001090000", "name": "create_links"},
            {"version": "20261012140000", "name": "click_events_index"},
        ]
    )


async def _auth_config(request: Request) -> Response:
    return JSONResponse(
        {
            "site_url": "https://app.isla.link",
            "external_email_enabled": True,
            "mailer_autoconfirm": False,
            "disable_signup": False,
            "smtp_host": "smtp.example.com",
            "smtp_port": "587",
            "smtp_admin_email": "hello@isla.link",
            "smtp_sender_name": "Isla",
            "smtp_max_frequency": 60,
            "rate_limit_email_sent": 30,
            "rate_limit_otp": 30,
            "rate_limit_verify": 30,
            "rate_limit_token_refresh": 150,
            "jwt_exp": 3600,
            "sessions_timebox": 0,
            "sessions_inactivity_timeout": 0,
            "refresh_token_rotation_enabled": True,
        }
    )


async def _health(name: str, pool: asyncpg.Pool[Any], faults: Faults) -> dict[str, Any]:
    error = ""
    if name in {"db", "pooler"}:
        try:
            await pool.fetchval("SELECT 1", timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            error = "the database does not answer"
    elif name == "auth" and faults.error("auth", 0.0):
        error = "unexpected status from GoTrue"
    elif name == "rest" and faults.error("rest", 0.0):
        error = "unexpected status from PostgREST"
    answer: dict[str, Any] = {
        "name": name,
        "healthy": not error,
        "status": "UNHEALTHY" if error else "ACTIVE_HEALTHY",
    }
    if error:
        answer["error"] = error
    elif name == "auth":
        answer["info"] = {"name": "GoTrue", "version": "v2.184.0"}
    return answer


def logged(
    source: str, faults: Faults, start: datetime | None = None, end: datetime | None = None
) -> list[dict[str, Any]]:
    """Return what a log has between two times, as the API does: a minute without an end, in UTC unsaid."""
    now = datetime.now(UTC)
    start = start or now - _LOGS_LAST
    end = end or start + _LOGS_LAST
    messages = ["connection authorized", "request completed"]
    if source == "auth_logs":
        messages = ['{"level":"info","msg":"request completed","path":"/token","status":200}']
        if faults.error("auth", 0.0):
            failed = '{"level":"error","msg":"429: email rate limit","error":"over_email_send_rate_limit"}'
            messages = [failed] * 6 + messages
        if faults.oauth_broken:
            refused = '{"level":"error","msg":"OAuth callback failed","error":"redirect_uri_mismatch"}'
            messages = [refused] * 6 + messages
    if source == "postgres_logs" and sum(faults.held().values()) > 40:
        refused = "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute"
        messages = [refused] * 4 + messages
    rows = ((now - timedelta(seconds=7 * n + 1), text) for n, text in enumerate(messages))
    return [
        {"timestamp": at.replace(tzinfo=None).isoformat(timespec="microseconds"), "event_message": text}
        for at, text in rows
        if start <= at <= end
    ]
