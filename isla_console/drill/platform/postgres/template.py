"""A ready-made empty cluster in the cache: the first drill makes it, later drills copy it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from isla_console.drill.platform.postgres import database
from isla_console.drill.platform.postgres.server import (
    PostgresError,
    Programs,
    Server,
    create_cluster,
    recipe,
)
from isla_console.drill.platform.process import ServiceUser, own

_CLUSTER = "cluster"
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Template:
    """A stopped cluster with roles and tables, and its superuser's password.

    `fresh` says that it was made just now, not found in the cache.
    """

    place: Path
    password: str = field(repr=False)
    fresh: bool = False

    def copy(self, target: Path, user: ServiceUser | None) -> None:
        """Copy the cluster to `target`, which must not exist.

        Raises:
            OSError: The disk is full, or the template was removed meanwhile.
        """
        shutil.copytree(self.place / _CLUSTER, target, copy_function=shutil.copyfile)
        for folder, folders, _ in os.walk(target):
            for name in folders:
                Path(folder, name).chmod(0o700)
        target.chmod(0o700)
        own(target, user)


@contextlib.asynccontextmanager
async def locked(root: Path) -> AsyncIterator[None]:
    """Hold the lock on the templates in `root`, so that drills make, copy and remove them in turn."""
    lock = os.open(root / "template.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _try_lock(lock):  # noqa: ASYNC110 -- another process releases it
            await asyncio.sleep(0.05)
        yield
    finally:
        os.close(lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def obtain(
    root: Path,
    scratch: Path,
    server: Programs,
    user: ServiceUser | None,
    building: Callable[[], None],
) -> Template:
    """Return the cached template, or make it if it is missing or damaged. Call it within `locked`.

    Args:
        root: The drill's cache folder.
        scratch: The run's own folder, on the same file system: a template is made there and moved when
            it is complete.
        server: The programs to make it with.
        user: The account that the server runs as; None for our own.
        building: Called when the template has to be made.

    Raises:
        PostgresError: It cannot be made.
        OSError: The cache cannot be written.
    """
    place = root / f"template-{_key(server)}"
    if (kept := _read(place)) is not None:
        return kept
    building()
    draft = scratch / "template"
    draft.mkdir(mode=0o700)
    await _build(draft, server, user)
    forget(root, scratch)
    draft.rename(place)
    if (made := _read(place)) is None:
        raise PostgresError(f"{place} changes while it is read")
    return replace(made, fresh=True)


def forget(root: Path, scratch: Path) -> None:
    """Remove every template, of any version, each atomically. Call it within `locked`."""
    for place in root.glob("template-*"):
        grave = scratch / f"discarded-{secrets.token_hex(6)}"
        with contextlib.suppress(OSError):
            place.rename(grave)
        shutil.rmtree(grave, ignore_errors=True)


def _key(server: Programs) -> str:
    """Return the name of a template, which changes with the schema and the server."""
    parts = (server.version, recipe(), database.schema_sql())
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"pg{server.version}-{digest[:12]}"


async def _build(draft: Path, server: Programs, user: ServiceUser | None) -> None:
    cluster = draft / _CLUSTER
    cluster.mkdir(mode=0o700)
    own(cluster, user)
    password = secrets.token_hex(16)
    await create_cluster(server, cluster, password, user)
    running = await Server.start(server, cluster, draft / "log", user)
    try:
        await database.create_schema(running.port, password)
        await asyncio.to_thread(running.shut_down)
    finally:
        running.stop()
    manifest = {"password": password, "size": _size(cluster)}
    descriptor = os.open(draft / _MANIFEST, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(manifest, file)


def _read(place: Path) -> Template | None:
    """Read the template at `place`; None when there is none or its files are not the ones it had."""
    try:
        manifest = json.loads((place / _MANIFEST).read_bytes())
        if manifest["size"] == _size(place / _CLUSTER):
            return Template(place, str(manifest["password"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _size(folder: Path) -> list[int]:
    """Return the numbers of files and bytes in a folder, a cheap way to notice a truncated file."""
    sizes = [Path(where, name).stat().st_size for where, _, files in os.walk(folder) for name in files]
    return [len(sizes), sum(sizes)]
