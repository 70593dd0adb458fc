"""However a drill ends, nothing of it runs on and no file of its run stays."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isla_console.drill import launch
from isla_console.drill.platform import runs
from isla_console.drill.score import record
from isla_console.journal.recorded import read_recorded
from tests.support.ignoring import ignoring
from tests.support.platform import (
    SCENARIO,
    alive,
    assert_gone,
    descendants,
    end,
    environment,
    headless,
    ready,
    running_platform,
    runs_left,
)
from tests.support.terminal import Terminal
from tests.support.waiting import PATIENCE_S, wait_until


def _wait_until_swept(folder: Path) -> None:
    wait_until(lambda: not runs_left(folder))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP])
def test_the_platform_goes_with_the_console(warm_folder: Path, how: signal.Signals) -> None:
    """Also when whoever started the console ignores the signal."""
    ignored = {how} - {signal.SIGKILL}
    console = headless(warm_folder, lambda command: ignoring(command, *ignored) if ignored else [*command])
    ready(console)
    below = descendants(console.pid)
    assert len(below) > 10, "a supervisor, PostgreSQL and its backends"
    end(console, how)
    assert_gone(below)
    _wait_until_swept(warm_folder)


def test_a_console_killed_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    """Also when the supervisor is told to end again, and again, while it cleans up."""
    console = headless(tmp_path)
    assert console.stderr is not None
    for line in console.stderr:
        if "preparing" in line:
            break
    wait_until(lambda: len(descendants(console.pid)) >= 2)
    below = descendants(console.pid)
    (supervisor,) = (pid for pid in below if _parent(pid) == console.pid)
    end(console, signal.SIGKILL)

    def gone_when_told_again() -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGTERM)
        return not alive({supervisor})

    wait_until(gone_when_told_again)
    assert_gone(below)
    _wait_until_swept(tmp_path)


def test_a_closed_terminal_ends_it(warm_folder: Path) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "isla_console", "drill", SCENARIO, "--headless"]
    console = subprocess.Popen(
        ["setsid", "--ctty", *ignoring(command, signal.SIGHUP)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(warm_folder),
        cwd=Path(__file__).parents[2],
    )
    os.close(slave)
    seen = b""
    while b"Ready" not in seen:
        seen += os.read(master, 4096)
    below = descendants(console.pid)
    for pid in below:
        terminal = [path for path in Path(f"/proc/{pid}/fd").glob("*") if "pts" in str(path.readlink())]
        assert terminal == [], "the platform holds no terminal open"
        assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4] == "0"
    os.close(master)
    console.wait(PATIENCE_S)
    assert_gone(below)
    _wait_until_swept(warm_folder)


def test_the_platform_ignores_no_signal_that_its_parent_ignores(warm_folder: Path) -> None:
    """As under nohup, or in the background of a shell without job control."""
    ending = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}
    shell = f"trap '' HUP INT QUIT; exec {sys.executable} -m isla_console drill {SCENARIO} --headless"
    console = subprocess.Popen(
        ["sh", "-c", shell],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(warm_folder),
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )
    ready(console)
    below = descendants(console.pid)
    (supervisor,) = (pid for pid in below if _parent(pid) == console.pid)
    (server,) = (pid for pid in below if _parent(pid) == supervisor)
    assert _ignored(supervisor) & ending == set()
    assert _ignored(server) & ending == set()
    os.kill(supervisor, signal.SIGHUP)
    assert_gone(below)
    assert console.stderr is not None
    assert "The platform ended." in console.stderr.read()
    assert end(console, signal.SIGCONT) == 1
    assert runs_left(warm_folder) == []


def test_a_killed_drill_keeps_its_record_and_its_journal(warm_folder: Path) -> None:
    """Killed while somebody works in it: what was written is readable, and the report says how it ended."""
    environ = environment(warm_folder)
    state = warm_folder / "state/isla-console/drill"
    command = [sys.executable, "-m", "isla_console", "drill"]
    with Terminal([*command, SCENARIO, "--quiet"], environ) as terminal:
        terminal.wait_for("DRILL redirect-down")
        terminal.send("1")
        terminal.wait_for("Diagnosis")
        terminal.send("d")
        terminal.wait_for("What is it?")
        terminal.send("enter", "enter", "enter")
        terminal.wait_for("Proposed P")
        terminal.send("f2")
        terminal.wait_for("DECLARED")
        below = descendants(terminal.pid)
        assert len(below) > 10
        terminal.kill(signal.SIGKILL)
        terminal.wait()
        assert_gone(below)
    _wait_until_swept(warm_folder)
    ((kept,), wrong) = record.read_all(state)
    assert wrong == []
    assert (kept.log[0].kind, kept.log[-1].kind) == ("phase", "cut_off")
    assert [event.kind for event in read_recorded(state / "journal.sqlite3").events].count("declared") == 1
    told = subprocess.run([*command, "report"], env=environ, capture_output=True, text=True, check=True)
    assert "cut off: its console or its platform was gone before anybody left it" in told.stdout


def test_postgresql_goes_with_a_killed_supervisor_and_what_is_left_is_swept(warm_folder: Path) -> None:
    console = headless(warm_folder)
    ready(console)
    (supervisor,) = (pid for pid in descendants(console.pid) if _parent(pid) == console.pid)
    below = descendants(supervisor)
    os.kill(console.pid, signal.SIGSTOP)  # a console that hangs: nobody cleans up for now
    os.kill(supervisor, signal.SIGKILL)
    assert_gone(below)
    assert len(runs_left(warm_folder)) == 1
    os.kill(console.pid, signal.SIGCONT)
    assert console.stderr is not None
    assert "The platform ended." in console.stderr.read()
    assert end(console, signal.SIGCONT) == 1
    assert runs_left(warm_folder) == []


def test_the_next_drill_sweeps_what_a_killed_one_left(warm_folder: Path) -> None:
    runs_folder = warm_folder / "cache/isla-console/drill/runs"
    left = runs_folder / "run-of-a-killed-drill"
    (left / "data").mkdir(parents=True)
    (left / "data/postmaster.pid").write_text(f"{os.getpid()}\n")  # a number that is somebody's again
    runs.remove(runs.create(runs_folder.parent).folder)
    assert not left.exists()


def test_a_sweep_leaves_running_drills_alone(warm_folder: Path) -> None:
    with running_platform(warm_folder) as platform:
        runs.sweep(warm_folder / "cache/isla-console/drill")
        assert len(runs_left(warm_folder)) == 1
        assert len(alive(descendants(platform.pid))) > 10


def test_leaving_is_quick_and_only_cache_and_state_remain(warm_folder: Path) -> None:
    began = time.monotonic()
    with launch.start(SCENARIO, lambda line: None, environ=environment(warm_folder)) as platform:
        below = {platform.pid} | descendants(platform.pid)
        started = time.monotonic()
    assert time.monotonic() - started < max(2, started - began)
    assert alive(below) == set()
    assert not platform.running
    left = {str(path.relative_to(warm_folder)) for path in warm_folder.glob("*/isla-console/drill/*")}
    kinds = {Path(path).name.split("-")[0] for path in left}
    assert kinds == {"runs", "runs.lock", "template", "template.lock", "platform.log"}
    assert (warm_folder / "state/isla-console/drill/platform.log").read_text() == ""


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):  # it may have ended since it was listed
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _ignored(pid: int) -> set[int]:
    """The signals that a process ignores."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(next(line for line in status.splitlines() if line.startswith("SigIgn:")).split()[1], 16)
    return {number for number in range(1, 65) if mask & 1 << (number - 1)}
