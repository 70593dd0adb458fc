"""The folder of one drill's files, and its removal, however the drill ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from isla_console.drill.platform.postgres.server import stop_stray

_LOCK = "lock"
_REMOVE_S = 3.0


@dataclass(frozen=True, slots=True)
class Run:
    """A drill's own folder, whose lock is held as long as its supervisor lives."""

    folder: Path
    lock: int

    @property
    def data(self) -> Path:
        """The folder of the PostgreSQL cluster."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The file of the platform's log."""
        return self.folder / "postgres.log"

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        remove(self.folder)
        with contextlib.suppress(OSError):
            os.close(self.lock)


def create(root: Path) -> Run:
    """Create a new run's folder under `root`, after removing what killed drills left there.

    Raises:
        OSError: `root` cannot be written.
    """
    with _locked(root) as runs:
        _sweep(runs)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Run(folder, lock)


def sweep(root: Path) -> None:
    """Remove what drills left behind when they were killed together with their supervisor."""
    with _locked(root) as runs:
        _sweep(runs)


def remove(folder: Path) -> None:
    """End a server that still runs in a run's folder, and remove the folder."""
    give_up = time.monotonic() + _REMOVE_S
    while True:
        with contextlib.suppress(FileNotFoundError):  # the folder changes while it is walked
            for pid_file in folder.rglob("postmaster.pid"):
                stop_stray(pid_file.parent)
        shutil.rmtree(folder, ignore_errors=True)
        # A copy under way, or a backend whose server was killed, may write another file meanwhile.
        if not folder.exists() or time.monotonic() > give_up:
            return
        time.sleep(0.05)


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[Path]:
    """Hold the lock on the folder of runs, so that no run is created during a sweep."""
    runs = root / "runs"
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(root / "runs.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield runs
    finally:
        os.close(lock)


def _sweep(runs: Path) -> None:
    for folder in runs.glob("run-*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            continue
        try:
            # A lock ends with its holder, but a stored pid may belong to another process by now.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            remove(folder)
        finally:
            os.close(lock)
