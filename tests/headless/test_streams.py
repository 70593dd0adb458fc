"""The commands without a screen where place, encoding or output are poor: a sentence and a code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isla_console.headless import run as headless
from isla_console.journal.local import LocalJournal
from tests.incident.story import Story

ROOT = Path(__file__).parents[2]

COMMANDS = (
    ["incident", "list"],
    ["incident", "list", "--json"],
    ["incident", "show"],
    ["incident", "export"],
    ["report"],
    ["journal", "verify"],
    ["schema"],
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    with LocalJournal.open(tmp_path / "state" / "journal.sqlite3") as journal:
        story = Story(impact="Übung “x” 漢字 \U0001f525")
        journal.append(story.events)
    return tmp_path / "state"


def call(state: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    environ = {
        **os.environ,
        "ISLA_STATE_DIR": str(state),
        "XDG_CONFIG_HOME": "/nonexistent",
        **more.pop("environ", {}),
    }
    more.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(
        [sys.executable, "-m", "isla_console", *words],
        env=environ, cwd=ROOT, stderr=subprocess.PIPE, check=False, **more,
    )  # fmt: skip


def sentence(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert "Exception" not in said
    assert len(said.splitlines()) == 1, said
    return said


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_what_the_encoding_cannot_show_is_replaced(state: Path, encoding: str) -> None:
    for words in COMMANDS:
        done = call(state, *words, environ={"PYTHONIOENCODING": encoding})
        assert (done.returncode, done.stderr) == (0, b""), words
        assert done.stdout.decode(encoding)
    shown = call(state, "report", environ={"PYTHONIOENCODING": "ascii"}).stdout.decode("ascii")
    assert "?bung" in shown


def test_a_full_output_is_said(state: Path) -> None:
    for words in COMMANDS:
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            done = call(state, *words, stdout=full)
        assert done.returncode == 1, words
        assert sentence(done) == "isla-console: standard output: No space left on device\n"


def test_a_closed_output_is_said(state: Path) -> None:
    for words in COMMANDS:
        done = call(state, *words, stdout=None, preexec_fn=lambda: os.close(1))
        assert done.returncode == 1, words
        assert sentence(done) == "isla-console: standard output: is closed\n"


def test_a_reader_that_leaves_ends_it_quietly(state: Path) -> None:
    for words in COMMANDS:
        reader, writer = os.pipe()
        os.close(reader)
        done = call(state, *words, stdout=writer)
        os.close(writer)
        assert (done.returncode, done.stderr) == (1, b""), words


def test_closed_input_and_error_are_no_traceback(state: Path) -> None:
    done = call(state, "incident", "import", preexec_fn=lambda: os.close(0))
    assert done.returncode == 1
    assert "standard input is closed" in sentence(done)
    done = call(state, "incident", "show", "nothing", preexec_fn=lambda: os.close(2))
    assert done.returncode == 1


@pytest.mark.parametrize("words", [[], ["drill", "redirect-down"], ["replay", "export.jsonl"]])
@pytest.mark.parametrize("number", [0, 2])
def test_without_a_terminal_no_screen_and_no_drill(
    state: Path, tmp_path: Path, words: list[str], number: int
) -> None:
    """A drill that nobody can see is not started, not told and not scored."""
    exported = call(state, "incident", "export", stdout=subprocess.PIPE).stdout
    (tmp_path / "export.jsonl").write_bytes(exported)
    words = [str(tmp_path / word) if word.endswith(".jsonl") else word for word in words]
    home = tmp_path / "home"
    done = call(state, *words, environ={"HOME": str(home)}, preexec_fn=lambda: os.close(number))
    assert done.returncode == 2
    assert done.stdout == b""
    if number != 2:
        assert "needs a terminal" in sentence(done)
    assert not home.exists()


DROP = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
"""Root as any other owner of a file."""


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which(DROP[0]) is None, reason="root may read everything")
def test_a_state_directory_of_mode_000_is_said(state: Path) -> None:
    before = DROP if os.geteuid() == 0 else []
    state.chmod(0)
    try:
        for words in (*COMMANDS[:-1], ["incident", "import", "/dev/null"]):
            done = subprocess.run(
                [*before, sys.executable, "-m", "isla_console", *words],
                env={**os.environ, "ISLA_STATE_DIR": str(state), "XDG_CONFIG_HOME": "/nonexistent"},
                cwd=ROOT,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 1, words
            assert "Permission denied; set ISLA_STATE_DIR" in sentence(done)
    finally:
        state.chmod(0o755)


def test_what_cannot_be_looked_at_is_said(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same for whoever runs the tests."""
    from isla_console import cli

    monkeypatch.setenv("ISLA_STATE_DIR", str(state))
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    real = Path.stat

    def denied(self: Path, **more: Any) -> os.stat_result:
        if self.name == "journal.sqlite3":
            raise PermissionError(13, "Permission denied")
        return real(self, **more)

    monkeypatch.setattr(Path, "stat", denied)
    for words in COMMANDS[:-1]:
        assert cli.main(words) == 1, words
        assert "Permission denied; set ISLA_STATE_DIR" in capsys.readouterr().err


@pytest.mark.parametrize("words", COMMANDS[:-1], ids=" ".join)
def test_a_state_directory_that_is_none_is_said(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "file").write_text("x")
    done = call(tmp_path / "file", *words)
    assert done.returncode == 1
    assert "Not a directory" in sentence(done)


def test_an_incident_that_trips_a_rule_hides_no_other(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from isla_console import cli

    monkeypatch.setenv("ISLA_STATE_DIR", str(state))
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    other = Story("P1", now=Story().events[0].occurred_at.replace(day=22))
    with LocalJournal.open(state / "journal.sqlite3") as journal:
        journal.append(other.events)
    real = headless.summary

    def trips(incident: Any, now: Any) -> Any:
        if incident.id == other.incident.id:
            raise OverflowError("date value out of range")
        return real(incident, now)

    monkeypatch.setattr(headless, "summary", trips)
    assert cli.main(["incident", "list"]) == 0
    said = capsys.readouterr()
    assert "Redirects down" in said.out
    assert other.incident.id not in said.out
    assert f"set aside: {other.incident.id}: internal fault: OverflowError" in said.err
