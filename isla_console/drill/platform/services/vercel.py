"""Vercel's REST API as far as a rollback needs it, with its documented shapes.

Deployments of the project, what production serves, rollback and promote with their progress, and the
runtime logs as JSON lines. What production is made to serve is an action: a scenario whose outage a
deployment caused is cured by `deployment:older`, and relapses by `deployment:newest`.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from isla_console.drill.platform.services.http import Handler, bears, guarded
from isla_console.drill.scenario.faults import Faults

PROJECT: Final = "prj_5rehearsal0isla0console0drill"
TEAM: Final = "team_rehearsalIslaDrill00001"
_ROLLBACK_S: Final = 2.5
"""Seconds from the request for a rollback until the domain serves the other build."""


@dataclass(frozen=True, slots=True)
class Build:
    """One deployment of the drill's project."""

    uid: str
    age: timedelta
    commit: str
    author: str
    message: str
    state: str = "READY"


BUILDS: Final = (
    Build(
        "dpl_8xK2qWvTn4RzYbLmJc7Hs9Dp", timedelta(minutes=4), "9f31c0a", "ana", "cache: inline the slug map"
    ),
    Build(
        "dpl_7eR1zUfGk2NwXaVtMb5Qo8Cj",
        timedelta(minutes=31),
        "d07b44e",
        "ben",
        "cache: try a worker",
        "ERROR",
    ),
    Build("dpl_5pQ9sLhYd3KxEiBnTz6Wu1Fv", timedelta(hours=5, minutes=7), "41be77d", "ben", "bump deps"),
    Build(
        "dpl_1aA0mRcPj9VgSfXoNe4Zk7Ty", timedelta(hours=22), "c02d915", "ana", "geo: fallback when unknown"
    ),
    Build("dpl_0bT6uNyKw8HqGrMdLi3Xp5Es", timedelta(days=2), "7ac1e20", "cleo", "redirect: 307 for previews"),
)
"""Newest first."""


class Deployments:
    """The project's deployments: which build production serves, and the newest request to change that."""

    def __init__(
        self,
        observe: Callable[[str], None],
        *,
        now: Callable[[], datetime],
        rollback_s: float = _ROLLBACK_S,
    ) -> None:
        """Serve the newest build; `observe` is called with each action."""
        self._observe = observe
        self._now = now
        self._rollback_s = rollback_s
        self._began = now()
        self.serving = BUILDS[0].uid
        self.alias_request: dict[str, Any] | None = None
        self._switch: asyncio.Task[None] | None = None

    def created_ms(self, build: Build) -> int:
        """Return when a build was made, in milliseconds since 1970."""
        return int((self._began - build.age).timestamp() * 1000)

    def serve(self, kind: str, uid: str) -> tuple[int, str]:
        """Begin to serve another build; return the answer's status, and why it is refused ("" if not)."""
        build = next((build for build in BUILDS if build.uid == uid), None)
        if build is None:
            return 404, "The deployment could not be found."
        if build.state != "READY":
            self._observe("deployment:refused-failed")
            return 400, "The deployment is not ready."
        if self.alias_request is not None and self.alias_request["jobStatus"] in {"pending", "in-progress"}:
            return 409, "Another alias request is in progress."
        if uid == self.serving:
            self._observe("deployment:refused-current")
            return 409, "The deployment is already serving production."
        self.alias_request = {
            "fromDeploymentId": self.serving,
            "toDeploymentId": uid,
            "jobStatus": "pending",
            "requestedAt": int(self._now().timestamp() * 1000),
            "type": kind,
        }
        self._switch = asyncio.create_task(self._switch_to(uid, self.alias_request))
        return 201, ""

    async def _switch_to(self, uid: str, request: dict[str, Any]) -> None:
        await asyncio.sleep(self._rollback_s / 2)
        request["jobStatus"] = "in-progress"
        await asyncio.sleep(self._rollback_s / 2)
        self.serving = uid
        request["jobStatus"] = "succeeded"
        self._observe("deployment:newest" if uid == BUILDS[0].uid else "deployment:older")


def vercel_service(deployments: Deployments, faults: Faults, rng: random.Random, token: str) -> Starlette:
    """Make api.vercel.com, for one project."""
    return Starlette(routes=_VercelApi(deployments, faults, rng, token).routes())


def new_token() -> str:
    """Make a token for the drill's API."""
    return f"vcp_{secrets.token_urlsafe(24)}"


class _VercelApi:
    def __init__(self, deployments: Deployments, faults: Faults, rng: random.Random, token: str) -> None:
        self._deployments = deployments
        self._faults = faults
        self._rng = rng
        self._token = token

    def routes(self) -> list[Route]:
        """Return every route, behind the check of the token and the project."""
        table: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/v7/deployments", self._list_deployments),
            ("GET", "/v13/deployments/{id}", self._get_deployment),
            ("GET", "/v9/projects/{project}", self._get_project),
            ("POST", "/v1/projects/{project}/rollback/{id}", self._serving("rollback")),
            ("POST", "/v10/projects/{project}/promote/{id}", self._serving("promote")),
            ("GET", "/v1/projects/{project}/deployments/{id}/runtime-logs", self._stream_logs),
        )
        return [
            Route(path, guarded(handler, self._refusal), methods=[method]) for method, path, handler in table
        ]

    def _refusal(self, request: Request) -> Response | None:
        if not bears(request, self._token):
            return _refuse(403, "forbidden", "Not authorized")
        if request.path_params.get("project", PROJECT) != PROJECT:
            return _refuse(404, "not_found", "The project could not be found.")
        return None

    async def _list_deployments(self, request: Request) -> Response:
        query = request.query_params
        if query.get("projectId") != PROJECT:
            return _refuse(404, "not_found", "The project could not be found.")
        found = [_deployment(build, self._deployments) for build in BUILDS]
        if state := query.get("state"):
            found = [one for one in found if one["readyState"] in state.split(",")]
        if query.get("rollbackCandidate") == "true":
            found = [one for one in found if one["isRollbackCandidate"]]
        limit = min(100, int(query.get("limit", "20")))
        page = {"count": len(found[:limit]), "next": None, "prev": None}
        return JSONResponse({"deployments": found[:limit], "pagination": page})

    async def _get_deployment(self, request: Request) -> Response:
        build = next((build for build in BUILDS if build.uid == request.path_params["id"]), None)
        if build is None:
            return _refuse(404, "not_found", "The deployment could not be found.")
        aliases = ["isla.link", "app.isla.link"] if build.uid == self._deployments.serving else []
        more = {"id": build.uid, "alias": aliases, "aliasError": None, "regions": ["iad1"], "version": 2}
        return JSONResponse(_deployment(build, self._deployments) | more)

    async def _get_project(self, request: Request) -> Response:
        build = next(build for build in BUILDS if build.uid == self._deployments.serving)
        production = _deployment(build, self._deployments) | {"id": build.uid}
        return JSONResponse(
            {
                "id": PROJECT,
                "name": "isla",
                "accountId": TEAM,
                "targets": {"production": production},
                "lastAliasRequest": self._deployments.alias_request,
            }
        )

    def _serving(self, kind: str) -> Handler:
        async def handle(request: Request) -> Response:
            status, why = self._deployments.serve(kind, request.path_params["id"])
            if why:
                return _refuse(status, "conflict" if status == 409 else "bad_request", why)
            return JSONResponse({}, status_code=status)

        return handle

    async def _stream_logs(self, request: Request) -> Response:
        if all(build.uid != request.path_params["id"] for build in BUILDS):
            return _refuse(404, "not_found", "The deployment could not be found.")
        return StreamingResponse(_logs(self._faults, self._rng), media_type="application/stream+json")


def _deployment(build: Build, deployments: Deployments) -> dict[str, Any]:
    ready = build.state == "READY"
    return {
        "uid": build.uid,
        "name": "isla",
        "url": f"isla-{build.commit}-isla.vercel.app",
        "created": deployments.created_ms(build),
        "createdAt": deployments.created_ms(build),
        "state": build.state,
        "readyState": build.state,
        "readySubstate": "PROMOTED" if ready else "STAGED",
        "target": "production",
        "isRollbackCandidate": ready and build.uid != deployments.serving,
        "creator": {"uid": f"usr_{build.author}", "username": build.author},
        "errorMessage": None if ready else 'Command "npm run build" exited with 1',
        "meta": {
            "githubCommitSha": build.commit.ljust(40, "0"),
            "githubCommitMessage": build.message,
            "githubCommitAuthorName": build.author,
            "githubCommitRef": "main",
        },
    }


async def _logs(faults: Faults, rng: random.Random) -> AsyncIterator[str]:
    """Yield log lines of the functions, several a second, until the client is gone."""
    for number in range(1_000_000):
        added_ms = faults.added_ms("redirect")
        status = faults.error("redirect", rng.random()) or 307
        level, message = "info", f"redirect in {round(rng.uniform(8, 40)) + added_ms} ms"
        if status >= 500:
            level, message = "error", "FUNCTION_INVOCATION_FAILED: slug map is not iterable"
        elif added_ms:
            level, message = "warning", f"slug map missed, looked up again: {added_ms} ms"
        line = {
            "rowId": f"{number:08}",
            "level": level,
            "message": message,
            "source": "serverless",
            "domain": "isla.link",
            "timestampInMs": int(datetime.now(UTC).timestamp() * 1000),
            "requestMethod": "GET",
            "requestPath": f"/{rng.choice(('launch', 'docs', 'sale', 'talk'))}",
            "responseStatusCode": status,
            "messageTruncated": False,
        }
        yield json.dumps(line) + "\n"
        await asyncio.sleep(rng.uniform(0.1, 0.5))


def _refuse(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
