"""A command cannot ask, hang, flood, or outlive its step."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from isla_console.steps import shell
from isla_console.steps.environment import environment, libpq
from isla_console.steps.lifeline import MARK, Lifeline
from isla_console.steps.output import HEAD, TAIL, Capture
from isla_console.steps.shell import Ended, missing_tools, run
from isla_console.text.redact import Redactor
from tests.support.pace import slowness
from tests.support.waiting import PATIENCE_S

PERSON = {
    "PATH": os.environ["PATH"],
    "HOME": "/home/ana",
    "SUPABASE_YES": "1",
    "NPM_CONFIG_YES": "true",
    "BASH_ENV": "/tmp/evil",
    "VERCEL_TOKEN": "vcp_production",
    "STRIPE_API_KEY": "sk_live_production",
    "PGPASSWORD": "production",
    "EDITOR": "vi",
}


async def go(script: str, *, timeout_s: float = 10, stop: asyncio.Event | None = None) -> tuple[Ended, str]:
    capture = Capture()
    ended = await run(script, environment(PERSON, {}), capture, timeout_s=timeout_s, stop=stop)
    return ended, capture.take().text(Redactor())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(pid: int) -> bool:
    for _ in range(600):
        if not alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_exit_code_and_both_streams() -> None:
    ended, text = await go("echo out; echo err >&2; exit 3")
    assert (ended.how, ended.exit_code) == ("exited", 3)
    assert text == "out\nerr\n"


async def test_it_cannot_ask() -> None:
    """Standard input is closed, and there is no terminal to open."""
    ended, text = await go('read answer; echo "read $? <$answer>"; echo hi > /dev/tty; echo tty $?')
    assert ended.how == "exited"
    assert "read 1 <>" in text
    assert "tty 0" not in text


async def test_environment_is_calm_and_keeps_no_secret() -> None:
    _, text = await go("env")
    names = {line.partition("=")[0] for line in text.splitlines()}
    assert not names & {
        "SUPABASE_YES",
        "NPM_CONFIG_YES",
        "BASH_ENV",
        "VERCEL_TOKEN",
        "STRIPE_API_KEY",
        "PGPASSWORD",
    }
    assert {"EDITOR", "PATH", "PAGER", "NO_COLOR"} <= names
    assert "TERM=dumb" in text


def test_a_drill_finds_no_login_of_the_person() -> None:
    found = environment(PERSON, {"NAME": "value"}, drill_home="/tmp/drill")
    assert found["HOME"] == "/tmp/drill"
    assert "EDITOR" not in found
    assert found["NAME"] == "value"


async def test_stop_ends_the_whole_group() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, stop.set)
    started = time.monotonic()
    ended, text = await go("sleep 60 & echo $!; sleep 60", stop=stop)
    assert ended.how == "stopped"
    assert time.monotonic() - started < 5 * slowness()
    assert await gone(int(text.split()[0]))


async def test_a_process_that_ignores_sigterm_is_killed() -> None:
    ended, text = await go("trap '' TERM; echo $$; while :; do sleep 1; done", timeout_s=0.5)
    assert ended.how == "timed out"
    assert ended.reason == "timed out after 0.5 s"
    assert await gone(int(text.split()[0]))


async def test_a_daemon_that_left_the_group_is_ended() -> None:
    """Also one with a session of its own that closed every file: found by its mark."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.6, stop.set)
    script = (
        "f=$(mktemp); setsid sh -c 'echo $$ > '\"$f\"'; exec sleep 61 >/dev/null 2>&1 </dev/null' & "
        'sleep 0.3; cat "$f"; rm "$f"; sleep 60'
    )
    ended, text = await go(script, stop=stop)
    assert ended.how == "stopped"
    assert await gone(int(text.split()[0]))


async def test_what_it_leaves_running_is_ended_and_said() -> None:
    """A command that ends while its child holds the pipe does not hang the step."""
    started = time.monotonic()
    ended, text = await go("sleep 62 & echo $!")
    assert (ended.how, ended.exit_code) == ("exited", 0)
    assert ended.left_behind == 1
    assert time.monotonic() - started < 6 * slowness()
    assert await gone(int(text.split()[0]))


async def test_what_cannot_be_ended_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a process of another user's."""
    real = shell._signal_all

    def refused(group: int, mark: str, number: signal.Signals) -> None:
        pass

    monkeypatch.setattr(shell, "_signal_all", refused)
    monkeypatch.setattr(shell, "GRACE_S", 0.1)
    ended, text = await go("sleep 64 & echo $!")
    pid = int(text.split()[0])
    assert (ended.left_behind, ended.survivors) == (0, (pid,))
    assert alive(pid)
    real(os.getpgid(pid), "", signal.SIGKILL)
    assert await gone(pid)


CONSOLE = """
import asyncio, os
from isla_console.steps.output import Capture
from isla_console.steps.shell import run

class Told(Capture):
    def feed(self, data):
        os.write(1, data)

asyncio.run(run(SCRIPT, {"PATH": os.environ["PATH"], "KEY": "topsecretvalue"}, Told()))
"""


@pytest.mark.parametrize(
    "script",
    [
        "echo $$; exec sleep 65",
        "trap '' TERM HUP INT; echo $$; while :; do sleep 1; done",
        "setsid sh -c 'echo $$; exec sleep 65' & sleep 65",
    ],
    ids=["plain", "ignores SIGTERM", "left the group"],
)
async def test_it_ends_when_the_console_is_killed(script: str) -> None:
    """kill -9 of the process that started it: nothing is left, the watcher neither."""
    console = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CONSOLE.replace("SCRIPT", repr(script)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert console.stdout is not None
    pid = int(await asyncio.wait_for(console.stdout.readline(), PATIENCE_S))
    watchers = children(console.pid)
    assert watchers
    assert not any(b"topsecretvalue" in arguments(one) for one in watchers)
    console.kill()
    await console.wait()
    for one in {pid, *watchers}:
        assert await gone(one), one


def arguments(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def children(parent: int) -> set[int]:
    return {int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}


async def test_no_watcher_is_left() -> None:
    before = children(os.getpid())
    await go("true")
    await run("true", {"A": "b\0c"}, Capture())
    assert children(os.getpid()) <= before


async def test_a_watch_over_nothing_ends_nothing() -> None:
    """A console that is gone before it said which run: those of other consoles go on."""
    other = await asyncio.create_subprocess_exec("sleep", "66", env={**os.environ, MARK: "f" * 16})
    lifeline = await Lifeline.tie("")
    os.close(lifeline._end)
    assert await asyncio.wait_for(lifeline._process.wait(), PATIENCE_S) == 0
    assert alive(other.pid)
    other.kill()
    await other.wait()


async def test_a_watch_that_was_ended_costs_nothing() -> None:
    lifeline = await Lifeline.tie("0" * 16)
    lifeline._process.kill()
    await lifeline._process.wait()
    lifeline.watch(1)
    await lifeline.untie()


async def test_output_that_ends_before_the_command() -> None:
    """A command that closes its output and lives on is waited for, and can be stopped."""
    ended, text = await go("echo out; exec >&- 2>&-; sleep 0.3; exit 5")
    assert (ended.how, ended.exit_code, text) == ("exited", 5, "out\n")
    ended, text = await go("echo $$; exec >&- 2>&-; sleep 67", timeout_s=0.4)
    assert ended.how == "timed out"
    assert await gone(int(text.split()[0]))


async def test_cancelling_ends_it() -> None:
    capture = Capture()
    task = asyncio.create_task(run("echo $$; sleep 63", environment(PERSON, {}), capture))
    for _ in range(500):
        if capture.size:
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(int(capture.take().head.split()[0]))


async def test_a_flood_is_bounded() -> None:
    """200 MB of output: the first and the newest lines are kept, and what is left out is said."""
    capture = Capture()
    await run("yes 0123456789 | head -c 200000000", environment(PERSON, {}), capture, timeout_s=60)
    kept = capture.take()
    assert capture.size == 200_000_000
    assert len(kept.head) + len(kept.tail) <= HEAD + TAIL
    assert kept.truncated
    assert "bytes are not kept" in kept.text(Redactor())


async def test_a_line_of_5_mb() -> None:
    capture = Capture()
    await run("head -c 5000000 /dev/zero | tr '\\0' x; echo; echo end", environment(PERSON, {}), capture)
    assert capture.last_lines(1, Redactor()) == ["end"]
    assert capture.take().truncated


async def test_bytes_that_are_no_text() -> None:
    _, text = await go("printf 'caf\\351 \\377\\n'")
    assert text == "caf\\xe9 \\xff\n"
    _, text = await go("head -c 3000 /dev/zero")
    assert text.startswith("binary output, 3,000 bytes")


async def test_a_command_that_cannot_be_started() -> None:
    ended = await run("true", {"A": "b\0c"}, Capture())
    assert ended.how == "not started"
    assert ended.exit_code is None


def test_a_missing_tool_says_what_brings_it() -> None:
    said = missing_tools(("vercel", "sh", "no-such-tool"), "/bin:/usr/bin")
    assert said == [
        "vercel is not installed here (npm install --global vercel)",
        "no-such-tool is not installed here",
    ]


def test_a_password_goes_by_environment() -> None:
    found = libpq("postgresql://ana:p%40ss@db.example.com:6000/isla?sslmode=verify-full")
    assert found == {
        "PGHOST": "db.example.com",
        "PGPORT": "6000",
        "PGUSER": "ana",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "isla",
        "PGSSLMODE": "verify-full",
    }
    with pytest.raises(ValueError, match=r"^it is no postgresql:// address$"):
        libpq("mysql://ana:secret@db")
