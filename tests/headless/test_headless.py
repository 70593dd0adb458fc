from __future__ import annotations

import argparse
import io
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from isla_console.headless.parser import add_commands
from isla_console.headless.run import run
from isla_console.incident import commands
from isla_console.incident.record.events import Event
from isla_console.journal.local import LocalJournal
from tests.incident.story import Console, Story, at


@dataclass
class _Shell:
    """A shell with a journal: runs a command line, keeps what it said."""

    journal: Path
    now: datetime = field(default_factory=lambda: at("14:20"))
    out: str = ""
    err: str = ""

    def __call__(self, *line: str, stdin: bytes = b"") -> int:
        parser = argparse.ArgumentParser()
        add_commands(parser.add_subparsers())
        arguments = parser.parse_args(line)
        assert "headless" in arguments
        out, err = io.StringIO(), io.StringIO()
        code = run(arguments, journal=self.journal, now=self.now, stdin=io.BytesIO(stdin), out=out, err=err)
        self.out, self.err = out.getvalue(), err.getvalue()
        return code

    def keep(self, events: list[Event]) -> None:
        with LocalJournal.open(self.journal) as journal:
            journal.append(events)


@pytest.fixture
def shell(tmp_path: Path) -> _Shell:
    return _Shell(tmp_path / "state" / "journal.sqlite3")


def _lines(events: list[Event]) -> bytes:
    return "".join(event.to_json() + "\n" for event in events).encode()


def test_without_a_journal_nothing_is_made(shell: _Shell) -> None:
    assert shell("incident", "list") == 0
    assert (shell.out, shell.err) == ("", "no incident yet\n")
    assert shell("incident", "list", "--json") == 0
    assert json.loads(shell.out) == []
    assert shell("incident", "show") == 1
    assert shell.err == "isla-console: no incident yet\n"
    assert shell("incident", "show", "inc-1") == 1
    assert shell("incident", "export") == 0
    assert shell("report") == 1
    assert not shell.journal.exists()


def test_the_list_marks_what_is_open_and_overdue(shell: _Shell) -> None:
    old = Story(now=at("10:00", day=20), impact="x")
    old.do(commands.resolve, now=at("11:00", day=20), override="works")
    old.do(commands.send_update, "public", "Over.", now=at("11:01", day=20))
    shell.keep(old.events)
    new = Story()
    shell.keep(new.events)
    assert shell("incident", "list") == 0
    assert shell.out.splitlines() == [
        f"* {new.incident.id}  P0  declared      2026-11-23 14:00Z  Redirects down  OVERDUE: public update",
        f"* {old.incident.id}  P0  resolved      2026-11-20 10:00Z  Redirects down  OVERDUE: post-mortem",
    ]
    assert shell("incident", "list", "--json") == 0
    rows = json.loads(shell.out)
    assert [(row["open"], row["overdue"]) for row in rows] == [
        (True, ["public update"]),
        (True, ["post-mortem"]),
    ]


def test_show_gives_exactly_these_keys(shell: _Shell) -> None:
    story = Story()
    Console(story, at("14:00")).tick(at("14:17"))
    story.do(commands.accept_role, "commander", "ana", now=at("14:18"))
    shell.keep(story.events)
    assert shell("incident", "show", "--json") == 0
    shown = json.loads(shell.out)
    assert list(shown) == [
        "id",
        "title",
        "severity",
        "state",
        "t_seconds",
        "e_seconds",
        "level",
        "ladder",
        "updates",
        "postmortem",
        "roles",
        "checklist",
        "next",
    ]
    assert shown["t_seconds"] == shown["e_seconds"] == 1200
    assert shown["level"] == "L2"
    assert shown["ladder"][1] == {
        "level": "L2",
        "due_at": "2026-11-23T14:15:00.000Z",
        "late": True,
        "cause": "time",
        "status": "current",
        "targets": [
            {"target": name, "state": "open", "at": None, "person": None, "by": None, "via": None}
            for name in ("ana", "ben")
        ],
    }
    assert shown["updates"] == [
        {"text": "public", "audience": "public", "due_at": "2026-11-23T14:05:00.000Z", "overdue": True},
        {"text": "internal", "audience": "internal", "due_at": None, "overdue": False},
    ]
    assert shown["postmortem"] == {"due_at": None, "state": None, "owner": None}
    assert shown["roles"] == {"commander": "ana", "investigator": None, "communicator": None}
    assert shown["checklist"][0] == {
        "item": "resolved",
        "text": "Incident resolved and verified",
        "state": "open",
    }
    assert shown["next"] == "Call ana and ben (L2): due 14:15Z, 5 min ago, not acknowledged."
    assert shell.err == ""


def test_show_at_a_time_is_as_it_stood_then(shell: _Shell) -> None:
    story = Story()
    story.do(commands.resolve, now=at("14:10"), override="works")
    shell.keep(story.events)
    shell.now = at("18:00")
    assert shell("incident", "show", "--at", "2026-11-23T15:05:00+01:00", "--json") == 0
    shown = json.loads(shell.out)
    assert (shown["state"], shown["t_seconds"]) == ("declared", 300)
    assert shell("incident", "show", "--at", "2026-11-23T13:00:00Z") == 1
    assert "was not declared at" in shell.err
    for wrong in ("2026-11-23T14:05:00", "now", ""):
        assert shell("incident", "show", "--at", wrong) == 2
        assert shell.err.startswith("isla-console: --at: n")


def test_show_as_text_obeys_no_escape(shell: _Shell) -> None:
    story = Story()
    story.do(commands.accept_role, "commander", "a\x1b]0;pwned\x07na", now=at("14:01"))
    story.do(commands.hold, "vendor", 10, now=at("14:15"))
    shell.keep(story.events)
    assert shell("incident", "show") == 0
    assert all(line.isprintable() for line in shell.out.splitlines())
    assert "E 00:15:00  held until 14:25Z" in shell.out
    assert "L3  CTO: upcoming at 14:40Z" in shell.out
    assert "commander     a␛]0;pwned␇na" in shell.out


def test_which_incident(shell: _Shell) -> None:
    one, two = Story(), Story(now=at("14:01"))
    shell.keep([*one.events, *two.events])
    assert shell("incident", "show") == 2
    assert f"several are open, say which: {two.incident.id}, {one.incident.id}" in shell.err
    assert shell("incident", "show", two.incident.id[:-1]) == 0
    assert shell("incident", "show", one.incident.id) == 0
    assert shell("incident", "show", "inc-2026") == 1
    assert "fits several" in shell.err
    assert shell("report", "nothing\x1b") == 1
    assert "no incident nothing␛" in shell.err
    two.do(commands.cancel, "the same", now=at("14:02"))
    shell.keep(two.events)
    assert shell("incident", "show", "--json") == 0
    assert json.loads(shell.out)["id"] == one.incident.id


def test_export_and_import_give_the_same_twice(shell: _Shell, tmp_path: Path) -> None:
    story = Story(metrics={"redirect": ("alert", "1240 ms")})
    Console(story, at("14:00")).tick(at("14:17"))
    other = Story(now=at("15:00"))
    shell.keep([*reversed(story.events), *other.events])
    assert shell("incident", "export") == 0
    whole = shell.out
    assert len(whole.splitlines()) == len(story.events) + 1
    assert shell("incident", "export", story.incident.id) == 0

    file = tmp_path / "events.jsonl"
    file.write_text(whole)
    copy = _Shell(tmp_path / "copy" / "journal.sqlite3", at("15:30"))
    assert copy("incident", "import", str(file)) == 0
    assert copy.err == f"{len(story.events) + 1} taken, 0 known already, 0 refused\n"
    assert copy.out == ""
    assert copy("incident", "import", "-", stdin=whole.encode()) == 0
    assert copy.err == f"0 taken, {len(story.events) + 1} known already, 0 refused\n"
    assert copy("incident", "export") == 0
    assert copy.out == whole


GOOD: dict[str, Any] = {
    "id": "n1",
    "incident": "inc-20261123-redirects-down",
    "occurred_at": "2026-11-23T14:05:00Z",
    "recorded_at": "2026-11-23T14:05:00Z",
    "actor": "ana",
    "host": "jump1",
    "kind": "noted",
    "data": {"text": "hello"},
}


def _bad_file() -> bytes:
    lines: list[Any] = [
        GOOD,
        "{broken",
        {**GOOD, "id": "n2", "actor": None},
        {**GOOD, "id": "n3", "data": {"text": 5}},
        {**GOOD, "id": "n4", "occurred_at": "2026-11-23T14:05:00"},
        {**GOOD, "id": "n5", "recorded_at": "2036-11-23T14:05:00Z"},
        {**GOOD, "id": "n6", "kind": "teleported", "data": {"to": "mars"}},
        GOOD,
        {**GOOD, "data": {"text": "something else"}},
        {**GOOD, "id": "n7", "data": {"text": "x" * 10_000_000}},
        "",
        "\x1b[2J",
        {**GOOD, "id": "n8"},
    ]
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return "\n".join(texts).encode() + b"\n\xff\xfe\n"


def test_import_reports_each_bad_line_and_takes_the_good(shell: _Shell) -> None:
    assert shell("incident", "import", stdin=_bad_file()) == 1
    said = shell.err.splitlines()
    wanted = [
        "line 2: not JSON: Expecting property name",
        "line 3: actor: missing",
        "line 4: data.text: expected text",
        "line 5: occurred_at: naive time; write …Z",
        "line 6: recorded_at: 2036-11-23T14:05:00.000Z is in the future; now it is 2026-11-23T14:20",
        "line 9: id n1 is taken by another event",
        "line 10: 100",
        "line 12: not JSON",
        "line 14: not UTF-8 at byte 1",
        "3 taken, 1 known already, 9 refused",
    ]
    assert len(said) == len(wanted)
    for line, start in zip(said, wanted, strict=True):
        assert line.startswith(start), line
    assert all(line.isprintable() for line in said)
    assert shell("incident", "export") == 0
    assert [json.loads(line)["id"] for line in shell.out.splitlines()] == ["n1", "n6", "n8"]


def test_strict_import_takes_none(shell: _Shell) -> None:
    assert shell("incident", "import", "--strict", stdin=_bad_file()) == 1
    assert shell.err.splitlines()[-2:] == [
        "0 taken, 0 known already, 9 refused",
        "nothing was taken: --strict",
    ]
    assert shell("incident", "export") == 0
    assert shell.out == ""
    good = _lines(Story().events)
    assert shell("incident", "import", "--strict", stdin=good) == 0
    assert shell("incident", "import", "--strict", stdin=good) == 0
    assert shell.err == "0 taken, 1 known already, 0 refused\n"


def test_thousands_of_bad_lines_are_counted_not_listed(shell: _Shell) -> None:
    assert shell("incident", "import", stdin=b"x\n" * 5000) == 1
    assert len(shell.err.splitlines()) == 102
    assert "and 4900 more lines" in shell.err


def test_ten_megabytes_of_events_are_taken(shell: _Shell) -> None:
    many = [json.dumps({**GOOD, "id": f"n{n}", "data": {"text": "x" * 1000}}) for n in range(9000)]
    assert shell("incident", "import", "--strict", stdin="\n".join(many).encode()) == 0
    assert shell.err == "9000 taken, 0 known already, 0 refused\n"


def test_import_of_what_is_not_there(shell: _Shell, tmp_path: Path) -> None:
    assert shell("incident", "import", str(tmp_path / "nothing")) == 1
    assert "No such file" in shell.err
    assert shell("incident", "import", str(tmp_path)) == 1
    assert "Is a directory" in shell.err
    shell.journal.parent.mkdir(parents=True)
    shell.journal.write_text("dear diary")
    for command in (("list",), ("show",), ("import",), ("export",)):
        assert shell("incident", *command) == 1
        assert "is not a journal" in shell.err


def test_entries_that_declare_nothing(shell: _Shell) -> None:
    assert shell("incident", "import", stdin=json.dumps(GOOD).encode()) == 0
    assert shell("incident", "show", GOOD["incident"]) == 1
    assert "none that declares it" in shell.err
    assert shell("incident", "list") == 0


def test_the_report_is_written_whole_and_keeps_the_one_before(shell: _Shell, tmp_path: Path) -> None:
    story = Story()
    shell.keep(story.events)
    assert shell("report") == 0
    assert shell.out.startswith("# Post-mortem: Redirects down\n")
    wanted = shell.out
    file = tmp_path / "out.md"
    assert shell("report", "-o", str(file)) == 0
    assert (shell.out, shell.err) == ("", f"written to {file}\n")
    assert file.read_text() == wanted
    assert shell("report", "-o", str(file)) == 0
    assert not (tmp_path / "out.md~").exists()
    file.write_text("edited by hand")
    file.chmod(0o640)
    assert shell("report", "-o", str(file)) == 0
    assert "the one before is" in shell.err
    assert (tmp_path / "out.md~").read_text() == "edited by hand"
    assert file.read_text() == wanted
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out.md", "out.md~", "state"]


def test_a_report_is_not_written_over_a_directory_or_into_nothing(shell: _Shell, tmp_path: Path) -> None:
    shell.keep(Story().events)
    (tmp_path / "there").mkdir()
    for target, words in (
        ("there", "is a directory"),
        ("nowhere/out.md", "No such file or directory"),
        ("\x1b/out.md", "␛"),
    ):
        assert shell("report", "-o", str(tmp_path / target)) == 1
        assert words in shell.err
        assert shell.err.count("\n") == 1
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert shell("report", "-o", str(loop)) == 1
    assert shell("report", "-o", "/dev/null") == 1
    assert "is not a file" in shell.err
