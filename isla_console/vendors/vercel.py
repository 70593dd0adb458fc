"""Deployments, in the shapes of Vercel's REST API.

`GET /v7/deployments`, each one as the runbook's expression or a step's columns name its parts, and
`GET /v9/projects/{id}` (`targets.production`, `lastAliasRequest{jobStatus,type,toDeploymentId}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from isla_console.text.brief import brief
from isla_console.text.times import moment


@dataclass(frozen=True, slots=True)
class Deployment:
    """One build. A text that the answer does not have is ""."""

    id: str
    state: str = ""
    commit: str = ""
    author: str = ""
    message: str = ""
    created_at: datetime | None = None
    live_since: datetime | None = None
    """When it went live; None when it never did, or the answer does not say."""
    serving: bool = False
    """Whether production serves it now."""


@dataclass(frozen=True, slots=True)
class AliasChange:
    """The newest change of what production serves: `status` in Vercel's words, `to` the deployment."""

    type: str = ""
    status: str = ""
    to: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self.status in {"succeeded", "failed", "skipped", "canceled"}


@dataclass(frozen=True, slots=True)
class Production:
    """What the production domain serves, and the newest change of that."""

    current: Deployment | None
    change: AliasChange


def deployment(item: Any) -> Deployment | None:
    """Return one deployment; None for anything else.

    Args:
        item: An object with `id` and any of `state`, `commit`, `author`, `message`, `created`, `live_since`
            (as `first_moment` takes them), and `staged`, true for one that waits to be promoted.
    """
    if not isinstance(item, Mapping) or not (id := _text(item.get("id"), 64)):
        return None
    state = _text(item.get("state"), 20).upper()
    went_live = state in {"READY", ""} and item.get("staged") is not True
    return Deployment(
        id=id,
        state=state,
        commit=_text(item.get("commit"), 40),
        author=_text(item.get("author"), 30),
        message=_text(item.get("message"), 200),
        created_at=first_moment(item.get("created")),
        live_since=first_moment(item.get("live_since")) if went_live else None,
    )


def production(project: Any) -> Production:
    """Return what serves now, from the answer for a project; empty where the answer has another shape."""
    project = _mapping(project)
    found = _mapping(_mapping(project.get("targets")).get("production"))
    meta, creator = _mapping(found.get("meta")), _mapping(found.get("creator"))
    current = deployment(
        {
            "id": found.get("id"),
            "created": found.get("createdAt"),
            "commit": _of_git(meta, "Sha"),
            "author": creator.get("username") or _of_git(meta, "AuthorName"),
            "message": _of_git(meta, "Message"),
            "state": found.get("readyState"),
        }
    )
    asked = _mapping(project.get("lastAliasRequest"))
    words = (_text(asked.get(key), 64) for key in ("type", "jobStatus", "toDeploymentId"))
    return Production(current, AliasChange(*words))


def _of_git(meta: Mapping[str, Any], what: str) -> Any:
    """Return what a deployment says of its commit, under the name of whoever hosts the repository."""
    found = (meta.get(f"{host}Commit{what}") for host in ("github", "gitlab", "bitbucket", "git"))
    return next((value for value in found if value), None)


def first_moment(value: Any) -> datetime | None:
    """Return the time that a value means; of a list, the first one."""
    if isinstance(value, list):
        return next((at for one in value if (at := first_moment(one)) is not None), None)
    return moment(value)


def _text(value: Any, limit: int) -> str:
    return brief(value, limit) if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
