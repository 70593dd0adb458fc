"""Rolling production back to a chosen deployment: what serves now, following the change, undoing it.

The requests are those of Vercel's REST API: `GET /v9/projects/{id}`, `GET /v7/deployments`,
`POST /v1/projects/{id}/rollback/{deployment}`, `POST /v10/projects/{id}/promote/{deployment}`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from isla_console.runbook.steps import HttpCall, Step
from isla_console.steps import http
from isla_console.steps.output import Capture
from isla_console.steps.rows import Row
from isla_console.vendors.vercel import Deployment, Production, deployment, production

POLL_S: Final = 2.0
PATIENCE_S: Final = 180.0
_TARGET: Final = re.compile(r"^(?P<api>.+?)/v\d+/projects/(?P<project>[^/]+)/rollback/\$\{(?P<input>\w+)\}$")


def target_input(step: Step) -> str:
    """Return the name of the input for the deployment that a step rolls back to; "" for any other step."""
    match = _TARGET.match(step.http.url) if step.http is not None and step.http.method == "POST" else None
    return match["input"] if match else ""


def promoted(step: Step) -> str:
    """Return the deployment that the undo of a rollback promotes; "" for any other step."""
    is_undo = step.id.endswith(".undo") and step.http is not None and step.http.method == "POST"
    match = re.search(r"/promote/(dpl_[A-Za-z0-9]+)$", step.http.url) if is_undo and step.http else None
    return match[1] if match else ""


def project_call(step: Step) -> HttpCall:
    """Return the request for the project of a rollback step, with that step's own credentials."""
    match, call = _parts(step)
    return HttpCall(
        method="GET",
        url=f"{match['api']}/v9/projects/{match['project']}",
        query=call.query,
        headers=call.headers,
    )


def undo_step(step: Step, back_to: str) -> Step:
    """Return the step that promotes the deployment which served before.

    Raises:
        ValueError: It is not a deployment's id.
    """
    if not re.fullmatch(r"dpl_[A-Za-z0-9]{1,64}", back_to):
        raise ValueError(f"{back_to[:60]!r} is no deployment")
    match, call = _parts(step)
    url = f"{match['api']}/v10/projects/{match['project']}/promote/{back_to}"
    return Step(
        id=f"{step.id}.undo",
        title=f"Undo: promote {back_to}",
        kind="http",
        effect="destroy",
        text="The domain serves that deployment again, and the next deployments go live by themselves.",
        http=HttpCall(method="POST", url=url, query=call.query, headers=call.headers, body={}),
        cli=f"vercel promote {back_to} --timeout 3m",
        undo="Roll back once more.",
        timeout_s=step.timeout_s,
        expect=step.expect,
    )


def deployments(rows: Sequence[Row]) -> list[Deployment]:
    """Return the deployments in a step's rows: id, created, commit, author, message, state."""
    return [found for row in rows if (found := deployment(row)) is not None]


async def ask(call: HttpCall, values: Mapping[str, str], *, trust_env: bool) -> Production | str:
    """Ask what serves now; return that, or why it is not known."""
    capture = Capture()
    answer = await http.send(http.build(call, values), capture, timeout_s=10, trust_env=trust_env)
    if answer.status != 200:
        return answer.problem or f"the project's answer is {answer.status}"
    try:
        return production(json.loads(capture.take().head))
    except (ValueError, RecursionError):
        return "the project's answer is no JSON"


async def follow(
    call: HttpCall,
    values: Mapping[str, str],
    target: str,
    tell: Callable[[str], None],
    *,
    trust_env: bool,
    poll_s: float = POLL_S,
    patience_s: float = PATIENCE_S,
) -> str:
    """Follow the change to `target`; return "" once production serves it, or what happened instead."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_s
    said = ""
    while loop.time() < deadline:
        found = await ask(call, values, trust_env=trust_env)
        if isinstance(found, str):
            said = found
        elif found.change.to == target and found.change.is_over:
            return "" if found.change.status == "succeeded" else f"the change {found.change.status}"
        elif found.current is not None and found.current.id == target:
            return ""
        else:
            said = f"{found.change.type or 'change'} {found.change.status or 'waits'}"
        tell(said)
        await asyncio.sleep(poll_s)
    return f"not finished after {patience_s:g} s: {said}"


def follow_ups(target: str, before: str) -> tuple[tuple[str, str], ...]:
    """Return what is left to do after a rollback, as (text, type of action item)."""
    return (
        (f"Compare the environment variables and crons that came back with {target}", "mitigate"),
        (
            "The next deployment does not go live by itself after a rollback: promote a good one by hand",
            "process",
        ),
        (f"Find and fix what was wrong with {before or 'the deployment before'}", "prevent"),
    )


def _parts(step: Step) -> tuple[re.Match[str], HttpCall]:
    assert step.http is not None
    match = _TARGET.match(step.http.url)
    assert match is not None
    return match, step.http
