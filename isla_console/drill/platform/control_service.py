"""The platform's remote control: the drill's state, heal, inject. On loopback, with a token."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isla_console.drill.platform.services.http import Handler, bears, guarded
from isla_console.drill.scenario.faults import FaultError, parse_fault
from isla_console.drill.scenario.runner import ScenarioRunner

_MOST_BYTES: Final = 16 * 1024
_MOST_TEXT: Final = 300


def control_service(
    token: str, runner: ScenarioRunner, truths: Callable[[], Awaitable[dict[str, object]]]
) -> Starlette:
    """Make the drill's remote control; every route answers with the drill's state.

    `GET /state`, `POST /heal` and `POST /fault` answer with `truths`, which asks the database; the others do
    not. `GET /progress` only answers. `POST /alarm` says that the console shows an alert. `POST /stopped`
    takes `{"step", "title", "why"}`, all texts: a destructive step was begun and not done. `/fault` takes a
    fault's JSON, or an empty body to begin the scenario's next phase.
    """
    control = _Control(runner, truths)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/state", control.state),
        ("GET", "/progress", control.progress),
        ("POST", "/heal", control.heal),
        ("POST", "/fault", control.fault),
        ("POST", "/alarm", control.alarm),
        ("POST", "/stopped", control.stopped),
    )

    def refusal(request: Request) -> Response | None:
        return None if bears(request, token) else _refuse(401, "a token is needed")

    return Starlette(
        routes=[Route(path, guarded(handler, refusal), methods=[method]) for method, path, handler in table]
    )


class _Control:
    def __init__(self, runner: ScenarioRunner, truths: Callable[[], Awaitable[dict[str, object]]]) -> None:
        self._runner = runner
        self._truths = truths

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._runner.state() | {"truths": await self._truths()})

    async def progress(self, request: Request) -> Response:
        return JSONResponse(self._runner.state() | {"truths": {}})

    async def heal(self, request: Request) -> Response:
        self._runner.heal()
        return await self.state(request)

    async def fault(self, request: Request) -> Response:
        body = await _bounded_body(request)
        if body is None:
            return _refuse(413, "too long")
        try:
            self._runner.inject(parse_fault(json.loads(body)) if body.strip() else None)
        except FaultError as error:
            return _refuse(422, f"no fault: {error}")
        except ValueError:
            return _refuse(400, "no fault: not JSON")
        return await self.state(request)

    async def alarm(self, request: Request) -> Response:
        self._runner.alarm()
        return await self.progress(request)

    async def stopped(self, request: Request) -> Response:
        body = await _bounded_body(request)
        if body is None:
            return _refuse(413, "too long")
        try:
            attempt = json.loads(body)
            texts = [attempt[name] for name in ("step", "title", "why")]
        except (ValueError, KeyError, TypeError):
            texts = []
        if not texts or not all(isinstance(text, str) and text for text in texts):
            return _refuse(422, "an attempt is {step, title, why}, each a text")
        self._runner.stopped(*(text[:_MOST_TEXT] for text in texts))
        return await self.progress(request)


async def _bounded_body(request: Request) -> bytes | None:
    """Read the body, or return None if it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    return body


def _refuse(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status_code=status)
