"""The record of a drill: one small JSON file beside the drill's journal, kept from the first moment."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from isla_console.drill.scenario.entry import Entry

FOLDER = "rehearsals"
"""The folder of the records in the drill's state directory."""


class RecordError(Exception):
    """A file is not a drill's record; the message names it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One drill: its scenario, how it was run, and the platform's log, oldest entry first."""

    id: str
    scenario: str
    actor: str
    seed: int
    speed: float
    quiet: bool
    began: datetime
    log: tuple[Entry, ...] = ()

    @property
    def ended(self) -> datetime:
        """When it was left or, if it was cut off, the time of its last entry."""
        return self.log[-1].at if self.log else self.began

    @property
    def cut_off(self) -> bool:
        """Whether the console or the platform was killed before the person left the drill."""
        return not self.log or self.log[-1].kind != "ended"

    def first(self, *kinds: str) -> Entry | None:
        """Return the first entry of any of these kinds."""
        return next((entry for entry in self.log if entry.kind in kinds), None)

    def with_log(self, log: Sequence[Entry]) -> Record:
        """Return the record with another log."""
        return replace(self, log=tuple(log))

    def to_json(self) -> str:
        """Return the record as JSON text."""
        fields = {
            "id": self.id,
            "scenario": self.scenario,
            "actor": self.actor,
            "seed": self.seed,
            "speed": self.speed,
            "quiet": self.quiet,
            "began": self.began.isoformat(),
            "log": [entry.to_dict() for entry in self.log],
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read a record from its JSON text.

        Raises:
            RecordError: It is not a record.
        """
        try:
            data = json.loads(text)
            return cls(
                id=str(data["id"]),
                scenario=str(data["scenario"]),
                actor=str(data["actor"]),
                seed=int(data["seed"]),
                speed=float(data["speed"]),
                quiet=bool(data["quiet"]),
                began=datetime.fromisoformat(data["began"]),
                log=tuple(Entry.from_dict(entry) for entry in data["log"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecordError(f"{type(error).__name__}: {error}") from None


def new(scenario: str, *, actor: str, seed: int, speed: float, quiet: bool, now: datetime) -> Record:
    """Make a record that begins at `now`."""
    return Record(f"{now:%Y%m%dT%H%M%S}-{scenario}", scenario, actor, seed, speed, quiet, now)


def path_of(record: Record, state: Path) -> Path:
    """Return the path of a record's file; `state` is the drill's state directory."""
    return state / FOLDER / f"{record.id}.json"


def write(record: Record, path: Path) -> None:
    """Write the record atomically. On a full disk the record is lost, but the drill goes on."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(record.to_json())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def read(path: Path) -> Record:
    """Read a record's file.

    Raises:
        RecordError: It is not a record; the message names the file.
    """
    try:
        return Record.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecordError) as error:
        raise RecordError(f"{path}: {error}") from None


def read_all(state: Path) -> tuple[list[Record], list[str]]:
    """Return every record, oldest first, and what is wrong with each file that is not one."""
    found, wrong = [], []
    for path in sorted((state / FOLDER).glob("*.json")):
        try:
            found.append(read(path))
        except RecordError as error:
            wrong.append(str(error))
    return sorted(found, key=lambda record: record.began), wrong
