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
from isla_console.incident.record.state import Incident, Ledger, fold
from isla_console.incident.report import report
from isla_console.incident.report.view import show, summary
from isla_console.journal.interchange import export_lines, import_lines
from isla_console.journal.local import LocalJournal, ReadJournal
from isla_console.journal.place import JournalError, exists
from isla_console.journal.reading import reading
from isla_console.journal.spool import waiting
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
    stdin: BinaryIO | None
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
    stdin: BinaryIO | None,
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
        incidents = _incidents(call, journal) if journal else []
    rows = []
    for incident in incidents:
        try:
            rows.append(summary(incident, call.now))
        except Exception as error:  # one incident that trips a rule must not hide the others
            call.tell(f"set aside: {incident.id}: internal fault: {type(error).__name__}")
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
        # An export with entries missing must not pass for a whole one.
        return 1 if journal is not None and journal.damaged else 0


def _import(call: _Call) -> int:
    name = call.arguments.file
    with contextlib.ExitStack() as stack:
        source = call.stdin
        if name not in (None, "-"):
            try:
                source = stack.enter_context(Path(name).open("rb"))
            except OSError as error:
                raise _Stop(f"{name}: {error.strerror}") from None
        if source is None:
            raise _Stop("standard input is closed: name a file")
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


def _verify(call: _Call) -> int:
    from isla_console.headless.journal import verify_text, verify_view
    from isla_console.journal.salvage import verify

    if not exists(call.path):
        raise _Stop(f"{call.path}: there is no journal yet", 0)
    found = verify(call.path)
    if call.arguments.json:
        _write_json(call, verify_view(found))
    else:
        call.out.write(verify_text(found))
    _tell_spooled(call)
    return 0 if found.is_well else 1


def _salvage(call: _Call) -> int:
    from isla_console.headless.journal import salvage_text, salvage_view
    from isla_console.journal.salvage import salvage, verify

    output = Path(call.arguments.output) if call.arguments.output else None
    if output is None and exists(call.path):
        with contextlib.suppress(JournalError):
            found = verify(call.path)
            if not (found.problem or found.damaged):
                call.tell(f"{call.path}: nothing is damaged, and nothing was changed")
                return 0
    done = salvage(call.path, output)
    if call.arguments.json:
        _write_json(call, salvage_view(done))
    else:
        call.out.write(salvage_text(done))
    return 1 if done.lost else 0


def _backup(call: _Call) -> int:
    from isla_console.journal.backup import back_up

    if not exists(call.path):
        raise _Stop(f"{call.path}: there is no journal yet")
    copy = back_up(call.path, why="asked", now=call.now)
    if call.arguments.json:
        _write_json(call, {"backup": str(copy)})
    else:
        call.out.write(f"{plain(str(copy))}\n")
    return 0


_ACTIONS: dict[str, Callable[[_Call], int]] = {
    "list": _list,
    "show": _show,
    "export": _export,
    "import": _import,
    "report": _report,
    "verify": _verify,
    "salvage": _salvage,
    "backup": _backup,
}


@contextlib.contextmanager
def _open_journal(call: _Call) -> Iterator[ReadJournal | None]:
    """Open the journal to read; None where there is none yet, and then none is created.

    What could not be read of it is said at the end.
    """
    _tell_spooled(call)
    if not exists(call.path):
        yield None
        return
    with reading(call.path) as journal:
        yield journal
        damaged = journal.damaged
    for one in damaged[:_SHOWN_FINDINGS]:
        call.tell(f"set aside: {one}")
    if damaged:
        count = "1 entry is" if len(damaged) == 1 else f"{len(damaged)} entries are"
        call.tell(f"{count} damaged and not shown; isla-console journal salvage looks for copies")


def _tell_spooled(call: _Call) -> None:
    """Say which entries wait to be taken in: what is shown lacks them."""
    for path in waiting(call.path):
        call.tell(
            f"not shown: {path} has entries that a console could not save; the next console takes them in"
        )


def _events_of(journal: ReadJournal | None, id: str) -> list[Event]:
    return journal.events(id) if journal else []


def _incidents(call: _Call, journal: ReadJournal) -> list[Incident]:
    """Return every incident that can be shown, the newest first; say which cannot."""
    found = []
    for id in journal.incident_ids():
        ledger = Ledger()
        ledger.add(journal.events(id))
        if ledger.incident is not None:
            found.append(ledger.incident)
        elif ledger.events:
            call.tell(f"set aside: {id}, {len(ledger.events)} entries: {ledger.problem}")
    return sorted(found, key=lambda incident: (incident.declared_at, incident.id), reverse=True)


def _find_id(call: _Call, journal: ReadJournal | None) -> str:
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


def _find_incident(call: _Call, journal: ReadJournal | None) -> Incident:
    """Return the incident that was asked for, else the open one, else the last."""
    if journal is not None and call.arguments.id is not None:
        ledger = Ledger()
        ledger.add(journal.events(_find_id(call, journal)))
        if ledger.incident is None:
            raise _Stop(f"{call.arguments.id} cannot be shown: {ledger.problem}")
        return ledger.incident
    incidents = _incidents(call, journal) if journal else []
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
