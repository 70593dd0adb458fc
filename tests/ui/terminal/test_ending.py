"""Signals that end a program, in each state in which it may be."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isla_console.ui.terminal.ending import END_S, ENDING, LATE_S

PROGRAM = """
import os, signal, sys, threading, time
from isla_console.ui.terminal.ending import EndingSignals

def ready():
    os.write(1, b"ready\\n")

with EndingSignals() as signals:
{body}
"""
STUCK = {
    "in a write that never returns": """
    signals.connect(lambda number: None, lambda: None)
    reads, writes = os.pipe()
    ready()
    while True:
        os.write(writes, b"x" * 65536)
""",
    "in a loop that does not look up": """
    signals.connect(lambda number: None, lambda: None)
    ready()
    while True:
        pass
""",
    "before anybody listens": """
    ready()
    time.sleep(60)
""",
    "while it prints its last words": """
    signals.connect(lambda number: done.set(), lambda: None) if (done := threading.Event()) else None
    ready()
    done.wait()
reads, writes = os.pipe()
while True:
    os.write(writes, b"x" * 65536)
""",
}


def start(body: str, tmp_path: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("state", STUCK)
def test_it_ends_whatever_it_is_doing(state: str, tmp_path: Path) -> None:
    process = start(STUCK[state], tmp_path)
    started = time.monotonic()
    process.terminate()
    assert process.wait(10) == 128 + signal.SIGTERM
    assert END_S - 0.1 < time.monotonic() - started < END_S + 1


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_each_is_told_and_ends_by_itself(number: signal.Signals, tmp_path: Path) -> None:
    """Also the second time, and one that comes before somebody listens."""
    body = """
    ready()
    sys.stdin.readline()
    told = []
    event = threading.Event()
    signals.connect(lambda number: (told.append(number), event.set()), lambda: None)
    event.wait()
sys.exit(told[0])
"""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    process.send_signal(number)
    time.sleep(0.1)
    process.communicate(b"\n", 10)
    assert process.returncode == number


def test_without_a_signal_all_is_as_before(tmp_path: Path) -> None:
    body = """
    before = signal.getsignal(signal.SIGTERM)
ready()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL is not before
time.sleep(60)
"""
    process = start(body, tmp_path)
    process.terminate()
    assert process.wait(10) == -signal.SIGTERM


def test_what_keys_send_to_another_program_is_not_for_us(tmp_path: Path) -> None:
    body = """
    signals.connect(lambda number: None, lambda: None)
    with signals.lent():
        ready()
        sys.stdin.readline()
    ready()
    time.sleep(60)
"""
    process = start(body, tmp_path)
    assert process.stdin is not None
    assert process.stdout is not None
    for number in (signal.SIGINT, signal.SIGQUIT):
        process.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(END_S + 0.5)
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)  # of the same keys, heard by a thread that ran late
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(LATE_S + END_S + 0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 128 + signal.SIGINT


def test_a_signal_that_no_key_sends_is_heard_at_once_also_then(tmp_path: Path) -> None:
    body = """
    signals.connect(lambda number: None, lambda: None)
    with signals.lent():
        pass
    ready()
    time.sleep(60)
"""
    process = start(body, tmp_path)
    process.terminate()
    assert process.wait(10) == 128 + signal.SIGTERM


def test_what_came_before_the_terminal_was_back_is_not_for_us(tmp_path: Path) -> None:
    """It is heard later than it came, on a busy machine much later."""
    body = """
    signals.connect(lambda number: None, lambda: None)
    for _ in range(100):
        with signals.lent():
            for _ in range(20):
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGQUIT)
        time.sleep(0.002)
    ready()
    time.sleep(60)
"""
    process = start(body, tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(END_S + 0.5)
    process.send_signal(signal.SIGQUIT)
    assert process.wait(10) == 128 + signal.SIGQUIT
