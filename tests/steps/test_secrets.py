"""Secrets in what steps put out: kept from the screen, the result and the process list."""

import asyncio
import base64
import contextlib
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from isla_console.runbook.steps import Input
from isla_console.settings.secret import MASK
from isla_console.steps.guard import Judgement
from isla_console.steps.output import Capture
from isla_console.steps.runner import Run
from isla_console.text.redact import Redactor
from tests.steps.support import NOW, Bench, http_step, shell_step
from tests.support.waiting import until


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-16-le", b""), ("utf-16-be", b"")],
)
def test_in_utf_16(encoding: str, mark: bytes) -> None:
    """As PowerShell writes: read as what it is, so that a secret in it is known."""
    capture, redactor = Capture(), Redactor(["topsecretvalue"])
    capture.feed(mark + "caf\u00e9 one\nkey topsecretvalue\nhalf topsec".encode(encoding))
    assert capture.last_lines(2, redactor) == ["café one", f"key {MASK}"]
    assert capture.take().text(redactor).startswith(f"café one\nkey {MASK}\n")
    capture.feed(("retvalue\n" + "x" * 400_001).encode(encoding))
    text = capture.take().text(redactor)
    assert "topsec" not in text
    assert text.endswith("xxx")
    assert "bytes are not kept" in text


def test_across_what_is_not_kept() -> None:
    secret = "S3CR3T-" + "q" * 40
    for filler in (65_500, 65_520, 65_530, 70_000):
        capture = Capture()
        capture.feed(b"x" * filler + secret.encode() + b"z" * 500_000 + secret.encode() + b"y" * 196_590)
        text = capture.take().text(Redactor([secret]))
        assert "S3CR" not in text
        assert "qq" not in text


def test_a_live_line_waits_for_its_end() -> None:
    """Half a line is not shown: the rest of a secret may be still to come."""
    capture, redactor = Capture(), Redactor(["topsecretvalue"])
    capture.feed(b"one\nkey topsec")
    assert capture.last_lines(5, redactor) == ["one"]
    capture.feed(b"retvalue\n")
    assert capture.last_lines(5, redactor) == ["one", f"key {MASK}"]


SECRET = "tok-0123456789-secret/+="


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    declared = {"TOKEN": Input(title="A token", type="secret", env="MY_TOKEN")}
    return Bench(tmp_path, declared, MY_TOKEN=SECRET)


async def test_shell_output_error_and_command(bench: Bench) -> None:
    outcome = await bench.do(
        shell_step('echo "$TOKEN"; echo "$TOKEN" >&2; printf %s "$TOKEN" | base64; exit 1')
    )
    assert SECRET not in repr(outcome)
    assert base64.b64encode(SECRET.encode()).decode().rstrip("=") not in repr(outcome)
    assert MASK in outcome.output
    assert MASK in outcome.command


async def test_it_is_in_no_process_list(bench: Bench) -> None:
    """Not in the arguments of any process while the step runs."""
    run = bench.runner.start(shell_step('sleep 3; : "$TOKEN"'), Judgement("read"), NOW)
    seen = []

    async def runs() -> bool:
        seen.append(await asyncio.to_thread(_process_list))
        return b"sleep\0003\0" in seen[-1]

    await until(runs)
    assert not any(SECRET.encode() in arguments for arguments in seen)
    await _end(bench, run)


async def test_http_echo_and_failure(bench: Bench) -> None:
    """A server that echoes its request, and an error that names the address."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = json.dumps([{"seen": head.decode("latin-1"), "deep": {"list": [SECRET]}, SECRET: 1}]).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/${{TOKEN}}"
    headers = {"Authorization": "Bearer ${TOKEN}", "apikey": "${TOKEN}"}
    async with server:
        for table in (None, "[]"):
            step = http_step(url, query={"key": "${TOKEN}"}, headers=headers, table=table)
            outcome = await bench.do(step)
            assert outcome.status == 200
            assert SECRET not in repr(outcome)
            assert quote(SECRET, safe="") not in repr(outcome)
    outcome = await bench.do(http_step("http://127.0.0.1:1/${TOKEN}", headers=headers))
    assert outcome.ending == "failed"
    assert SECRET not in repr(outcome)
    assert quote(SECRET, safe="") not in repr(outcome)


async def test_what_is_typed_is_hidden_everywhere(bench: Bench) -> None:
    bench.inputs.remember("TOKEN", "typed-by-hand-value", "typed")
    outcome = await bench.do(shell_step("echo typed-by-hand-value"))
    assert "typed-by-hand" not in repr(outcome)
    assert "typed-by-hand" not in repr(bench.inputs.find("TOKEN", NOW))
    assert bench.inputs.public(shell_step('echo "$TOKEN"')) == {}


def _process_list() -> bytes:
    found = b""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += entry.read_bytes()
    return found


async def _end(bench: Bench, run: Run) -> None:
    bench.runner.stop(run.step.id)
    await run.task


async def test_a_declared_secret_is_only_in_the_environment_of_the_step_that_names_it(tmp_path: Path) -> None:
    """The person's shell has it; a command that does not name it gets neither the name nor the value."""
    declared = {"TOKEN": Input(title="A token", type="secret", env="MY_TOKEN")}
    bench = Bench(tmp_path, declared, MY_TOKEN=SECRET)
    bench.runner._person = {**bench.runner._person, "MY_TOKEN": SECRET, "OTHER": "kept"}
    outcome = await bench.do(shell_step("env | grep -c -e MY_TOKEN -e tok-0123; echo $OTHER"))
    assert outcome.output.split() == ["0", "kept"]
    outcome = await bench.do(shell_step('test "$TOKEN" && env | grep -c tok-0123'))
    assert outcome.output.split() == ["1"]
