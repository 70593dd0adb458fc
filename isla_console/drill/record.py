"""What is kept of each drill: one small JSON file, beside the drill's journal, from the first moment on."""

import contextlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from isla_console.drill.entry import Entry

FOLDER = "rehearsals"
"""Where the files are, in the drill's state directory."""


class RecordError(Exception):
    """The file is no drill's record; the message names it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One drill: which scenario, how it was run, and what the platform saw, oldest first."""

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
        """When it was left; of one that was cut off, its last entry."""
        return self.log[-1].at if self.log else self.began

    @property
    def cut_off(self) -> bool:
        """Whether nobody left it: the console was killed, or the platform with it."""
        return not self.log or self.log[-1].kind != "ended"

    def first(self, *kinds: str) -> Entry | None:
        """The first entry of these kinds."""
        return next((entry for entry in self.log if entry.kind in kinds), None)

    def with_log(self, log: Sequence[Entry]) -> "Record":
        return replace(self, log=tuple(log))

    def to_json(self) -> str:
        fields = {name: getattr(self, name) for name in ("id", "scenario", "actor", "seed", "speed", "quiet")}
        began = {"began": self.began.isoformat(), "log": [entry.to_dict() for entry in self.log]}
        return json.dumps(fields | began, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Raises RecordError for what is none."""
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
    """A record that begins now."""
    return Record(f"{now:%Y%m%dT%H%M%S}-{scenario}", scenario, actor, seed, speed, quiet, now)


def path_of(record: Record, state: Path) -> Path:
    """Where a record is kept; `state` is the drill's state directory."""
    return state / FOLDER / f"{record.id}.json"


def write(record: Record, path: Path) -> None:
    """Keep it, whole or not at all. A full disk costs the record, not the drill."""
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
    """Raises RecordError naming the file."""
    try:
        return Record.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecordError) as error:
        raise RecordError(f"{path}: {error}") from None


def read_all(state: Path) -> tuple[list[Record], list[str]]:
    """Every record, oldest first, and what is wrong with the files that are none."""
    found, wrong = [], []
    for path in sorted((state / FOLDER).glob("*.json")):
        try:
            found.append(read(path))
        except RecordError as error:
            wrong.append(str(error))
    return sorted(found, key=lambda record: record.began), wrong
