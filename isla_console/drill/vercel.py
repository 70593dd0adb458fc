"""Vercel's REST API as far as a rollback needs it, with its documented shapes.

Deployments of the project, what production serves, rollback and promote with their progress, and the
runtime logs as JSON lines. What production is made to serve is told to the story: a scenario whose outage a
deployment brought is cured by `deployment:older`, and relapses by `deployment:newest`.
"""

import asyncio
import hmac
import json
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from isla_console.drill.faults import Faults
from isla_console.drill.story import Story

PROJECT: Final = "prj_5rehearsal0isla0console0drill"
TEAM: Final = "team_rehearsalIslaDrill00001"
_TAKES_S: Final = 2.5
"""From the request for a rollback to the domain serving the other build."""

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Build:
    """One deployment of the rehearsal."""

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


class Deployments:
    """The project's books: which build serves production, and the newest change of that."""

    def __init__(self, story: Story, *, now: Callable[[], datetime], takes_s: float = _TAKES_S):
        self._story = story
        self._now = now
        self._takes_s = takes_s
        self._began = now()
        self.serving = BUILDS[0].uid
        self.request: dict[str, Any] | None = None
        self._switch: asyncio.Task[None] | None = None

    def created(self, build: Build) -> int:
        """When a build was made, in milliseconds since 1970."""
        return int((self._began - build.age).timestamp() * 1000)

    def change(self, kind: str, uid: str) -> tuple[int, str]:
        """Begin to serve another build: the status of the answer, and why it is refused ("": it is not)."""
        build = next((build for build in BUILDS if build.uid == uid), None)
        if build is None:
            return 404, "The deployment could not be found."
        if build.state != "READY":
            self._story.did("deployment:refused-failed")
            return 400, "The deployment is not ready."
        if self.request is not None and self.request["jobStatus"] in {"pending", "in-progress"}:
            return 409, "Another alias request is in progress."
        if uid == self.serving:
            self._story.did("deployment:refused-current")
            return 409, "The deployment is already serving production."
        self.request = {
            "fromDeploymentId": self.serving,
            "toDeploymentId": uid,
            "jobStatus": "pending",
            "requestedAt": int(self._now().timestamp() * 1000),
            "type": kind,
        }
        self._switch = asyncio.create_task(self._serve(uid, self.request))
        return 201, ""

    async def _serve(self, uid: str, request: dict[str, Any]) -> None:
        await asyncio.sleep(self._takes_s / 2)
        request["jobStatus"] = "in-progress"
        await asyncio.sleep(self._takes_s / 2)
        self.serving = uid
        request["jobStatus"] = "succeeded"
        self._story.did("deployment:newest" if uid == BUILDS[0].uid else "deployment:older")


def vercel_service(deployments: Deployments, faults: Faults, rng: random.Random, token: str) -> Starlette:
    """api.vercel.com, for one project."""

    async def listed(request: Request) -> Response:
        query = request.query_params
        if query.get("projectId") != PROJECT:
            return _refuse(404, "not_found", "The project could not be found.")
        found = [_entry(build, deployments) for build in BUILDS]
        if state := query.get("state"):
            found = [entry for entry in found if entry["readyState"] in state.split(",")]
        if query.get("rollbackCandidate") == "true":
            found = [entry for entry in found if entry["isRollbackCandidate"]]
        limit = min(100, int(query.get("limit", "20")))
        page = {"count": len(found[:limit]), "next": None, "prev": None}
        return JSONResponse({"deployments": found[:limit], "pagination": page})

    async def one(request: Request) -> Response:
        build = next((build for build in BUILDS if build.uid == request.path_params["id"]), None)
        if build is None:
            return _refuse(404, "not_found", "The deployment could not be found.")
        entry = _entry(build, deployments)
        serves = ["isla.link", "app.isla.link"] if build.uid == deployments.serving else []
        return JSONResponse(
            entry | {"id": build.uid, "alias": serves, "aliasError": None, "regions": ["iad1"], "version": 2}
        )

    async def project(request: Request) -> Response:
        build = next(build for build in BUILDS if build.uid == deployments.serving)
        entry = _entry(build, deployments) | {"id": build.uid}
        return JSONResponse(
            {
                "id": PROJECT,
                "name": "isla",
                "accountId": TEAM,
                "targets": {"production": entry},
                "lastAliasRequest": deployments.request,
            }
        )

    def change(kind: str) -> Handler:
        async def handle(request: Request) -> Response:
            status, why = deployments.change(kind, request.path_params["id"])
            return (
                _refuse(status, "conflict" if status == 409 else "bad_request", why)
                if why
                else JSONResponse({}, status_code=201)
            )

        return handle

    async def logs(request: Request) -> Response:
        if all(build.uid != request.path_params["id"] for build in BUILDS):
            return _refuse(404, "not_found", "The deployment could not be found.")
        return StreamingResponse(_logs(faults, rng), media_type="application/stream+json")

    def known(handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return _refuse(403, "forbidden", "Not authorized")
            if request.path_params.get("project", PROJECT) != PROJECT:
                return _refuse(404, "not_found", "The project could not be found.")
            return await handler(request)

        return handle

    projects = "/v1/projects/{project}"
    return Starlette(
        routes=[
            Route("/v7/deployments", known(listed)),
            Route("/v13/deployments/{id}", known(one)),
            Route("/v9/projects/{project}", known(project)),
            Route(f"{projects}/rollback/{{id}}", known(change("rollback")), methods=["POST"]),
            Route("/v10/projects/{project}/promote/{id}", known(change("promote")), methods=["POST"]),
            Route(f"{projects}/deployments/{{id}}/runtime-logs", known(logs)),
        ]
    )


def new_token() -> str:
    """A token for the rehearsal's API."""
    return f"vcp_{secrets.token_urlsafe(24)}"


def _entry(build: Build, deployments: Deployments) -> dict[str, Any]:
    ready = build.state == "READY"
    return {
        "uid": build.uid,
        "name": "isla",
        "url": f"isla-{build.commit}-isla.vercel.app",
        "created": deployments.created(build),
        "createdAt": deployments.created(build),
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
    """Log lines of the functions, several a second, until nobody listens."""
    for number in range(1_000_000):
        added = faults.added_ms("redirect")
        status = faults.error("redirect", rng.random()) or 307
        level, message = "info", f"redirect in {round(rng.uniform(8, 40)) + added} ms"
        if status >= 500:
            level, message = "error", "FUNCTION_INVOCATION_FAILED: slug map is not iterable"
        elif added:
            level, message = "warning", f"slug map missed, looked up again: {added} ms"
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
