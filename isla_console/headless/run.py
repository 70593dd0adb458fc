"""Carrying out the commands that need no screen.

Data goes to `out`, messages about it to `err`. Exit codes: 0 done, 1 refused or with findings,
2 wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TextIO

from isla_console.headless.files import WriteError, write_file
from isla_console.headless.text import list_text, show_text
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident, fold
from isla_console.incident.report import report
from isla_console.incident.report.view import show, summary
from isla_console.journal.interchange import export_lines, import_lines
from isla_console.journal.local import JournalError, LocalJournal
from isla_console.text.plain import plain
from isla_console.text.times import parse_utc, utc_text

_SHOWN_FINDINGS = 100


class _Stop(Exception):
    """Ends the command, with a message for people and an exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Call:
    arguments: argparse.Namespace
    path: Path
    now: datetime
    stdin: BinaryIO
    out: TextIO
    err: TextIO

    def tell(self, text: str) -> None:
        """Write a line for people, harmless in a terminal."""
        self.err.write(f"{plain(text)}\n")


def run(
    arguments: argparse.Namespace,
    *,
    journal: Path,
    now: datetime,
    stdin: BinaryIO,
    out: TextIO,
    err: TextIO,
) -> int:
    """Carry out what `parser.add_commands` parsed, on the journal file `journal`; return the exit code."""
    call = _Call(arguments, journal, now, stdin, out, err)
    try:
        return _ACTIONS[arguments.action](call)
    except _Stop as stop:
        call.tell(f"isla-console: {stop}")
        return stop.code
    except (JournalError, WriteError) as error:
        call.tell(f"isla-console: {error}")
        return 1


def _list(call: _Call) -> int:
    with _open_journal(call) as journal:
        incidents = _incidents(journal) if journal else []
    rows = [summary(incident, call.now) for incident in incidents]
    if call.arguments.json:
        _write_json(call, rows)
    elif rows:
        call.out.write(list_text(rows))
    else:
        call.tell("no incident yet")
    return 0


def _show(call: _Call) -> int:
    at = _asked_time(call)
    with _open_journal(call) as journal:
        incident = _find_incident(call, journal)
        if at is not None:
            past = [event for event in _events_of(journal, incident.id) if event.occurred_at <= at]
            then = fold(past)
            if then is None:
                raise _Stop(f"{incident.id} was not declared at {utc_text(at)}")
            incident = then
    now = at or call.now
    if call.arguments.json:
        _write_json(call, show(incident, now))
    else:
        call.out.write(show_text(incident, now))
    return 0


def _export(call: _Call) -> int:
    with _open_journal(call) as journal:
        if call.arguments.id is None:
            ids = journal.incident_ids() if journal else []
        else:
            ids = [_find_id(call, journal)]
        for id in sorted(ids):
            call.out.writelines(export_lines(_events_of(journal, id)))
    return 0


def _import(call: _Call) -> int:
    name = call.arguments.file
    with contextlib.ExitStack() as stack:
        source = call.stdin
        if name not in (None, "-"):
            try:
                source = stack.enter_context(Path(name).open("rb"))
            except OSError as error:
                raise _Stop(f"{name}: {error.strerror}") from None
        journal = stack.enter_context(LocalJournal.open(call.path))
        done = import_lines(source, journal, now=call.now, strict=call.arguments.strict)
    for finding in done.findings[:_SHOWN_FINDINGS]:
        call.tell(str(finding))
    if len(done.findings) > _SHOWN_FINDINGS:
        call.tell(f"and {len(done.findings) - _SHOWN_FINDINGS} more lines")
    refused = len(done.findings)
    call.tell(f"{done.taken} taken, {done.known} known already, {refused} refused")
    if call.arguments.strict and refused:
        call.tell("nothing was taken: --strict")
    return 1 if refused else 0


def _report(call: _Call) -> int:
    with _open_journal(call) as journal:
        text = report(_find_incident(call, journal))
    output = call.arguments.output
    if output in (None, "-"):
        call.out.write(text)
        return 0
    kept = write_file(Path(output), text)
    call.tell(f"written to {output}" + (f"; the one before is {kept}" if kept else ""))
    return 0


_ACTIONS: dict[str, Callable[[_Call], int]] = {
    "list": _list,
    "show": _show,
    "export": _export,
    "import": _import,
    "report": _report,
}


@contextlib.contextmanager
def _open_journal(call: _Call) -> Iterator[LocalJournal | None]:
    """Open the journal to read; None where there is none yet, and then none is created."""
    if not call.path.exists():
        yield None
        return
    with LocalJournal.open(call.path) as journal:
        yield journal


def _events_of(journal: LocalJournal | None, id: str) -> list[Event]:
    return journal.events(id) if journal else []


def _incidents(journal: LocalJournal) -> list[Incident]:
    """Return every incident that was declared, the newest first."""
    folded = (fold(journal.events(id)) for id in journal.incident_ids())
    found = [incident for incident in folded if incident is not None]
    return sorted(found, key=lambda incident: (incident.declared_at, incident.id), reverse=True)


def _find_id(call: _Call, journal: LocalJournal | None) -> str:
    """Return the id that was asked for, whole or as a prefix that fits only one incident."""
    asked: str = call.arguments.id
    ids = journal.incident_ids() if journal else []
    if asked in ids:
        return asked
    fitting = [id for id in ids if id.startswith(asked)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise _Stop(f"{asked} fits several incidents: {', '.join(sorted(fitting))}")
    raise _Stop(f"no incident {asked}; see isla-console incident list")


def _find_incident(call: _Call, journal: LocalJournal | None) -> Incident:
    """Return the incident that was asked for, else the open one, else the last."""
    if journal is not None and call.arguments.id is not None:
        id = _find_id(call, journal)
        incident = fold(journal.events(id))
        if incident is None:
            raise _Stop(f"{id} has entries, but none that declares it")
        return incident
    incidents = _incidents(journal) if journal else []
    if call.arguments.id is not None or not incidents:
        raise _Stop(f"no incident {call.arguments.id}" if call.arguments.id else "no incident yet")
    open_ones = [incident for incident in incidents if incident.is_open]
    if len(open_ones) > 1:
        names = ", ".join(incident.id for incident in open_ones)
        raise _Stop(f"several are open, say which: {names}", 2)
    return (open_ones or incidents)[0]


def _asked_time(call: _Call) -> datetime | None:
    if call.arguments.at is None:
        return None
    try:
        return parse_utc(call.arguments.at)
    except ValueError as error:
        raise _Stop(f"--at: {error}", 2) from None


def _write_json(call: _Call, data: object) -> None:
    # ASCII alone: no control character and no direction mark of a title reaches a terminal.
    call.out.write(json.dumps(data, indent=2) + "\n")
