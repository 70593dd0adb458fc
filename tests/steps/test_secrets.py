"""A corpus of secrets: declared ones in every spelling, and what looks like one."""

import asyncio
import base64
import contextlib
import html
import json
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from isla_console.runbook.steps import Input
from isla_console.settings.secret import MASK
from isla_console.steps.guard import Judgement
from isla_console.steps.output import Capture
from isla_console.steps.runner import Run
from isla_console.text.redact import Redactor
from tests.steps.support import NOW, Bench, http_step, shell_step
from tests.support.pace import slowness
from tests.support.waiting import until

DECLARED = {
    "plain": "correct-horse-battery",
    "specials": "p@ss w/o:rd?&=#%+\"'<>",
    "newline": "-----first line of it\nsecond line of it",
    "unicode": "pässwörd-😀-secret",
    "regex": "a.*b[c](d)|e$",
    "dsn": "postgresql://ana:s3cr3t%2Fpart@db.example.com:5432/isla",
}
LOOKS = {
    "header": ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"),
    "header json": ('{"authorization": "Bearer zyx9876543210zyx"}', "zyx9876543210zyx"),
    "basic": ("authorization: Basic c2VydmljZV9yb2xlOnNlY3JldA==", "c2VydmljZV9yb2xlOnNlY3JldA=="),
    "apikey": ("apikey: sb_abcdefghijkl", "sb_abcdefghijkl"),
    "webhook": ("secret whsec_abcDEF0123456789", "whsec_abcDEF0123456789"),
    "stripe": ("key sk_live_51Habcdef rest", "sk_live_51Habcdef"),
    "restricted": ("rk_test_51Habcdef", "rk_test_51Habcdef"),
    "jwt": ("t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIiOiIxIn0"),
    "dsn": ("could not connect to postgresql://ana:hunter22@db/isla", "hunter22"),
    "assignment": ("VERCEL_TOKEN=vcp_0123456789", "vcp_0123456789"),
    "json": ('{"password": "hunter2-hunter2"}', "hunter2-hunter2"),
    "github": ("ghp_0123456789abcdefABCDEF", "ghp_0123456789abcdefABCDEF"),
    "slack": ("xoxb-12345678-abcdefgh", "xoxb-12345678-abcdefgh"),
    "supabase": ("sbp_0123456789abcdef", "sbp_0123456789abcdef"),
    "aws": ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    "pem": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    "cookie": ("Set-Cookie: session=abc123def456; Path=/", "abc123def456"),
}


@pytest.mark.parametrize("secret", DECLARED.values(), ids=DECLARED)
def test_declared_in_every_spelling(secret: str) -> None:
    redactor = Redactor([secret])
    raw = secret.encode()
    for spelt in (
        secret,
        quote(secret, safe=""),
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        repr(secret),
        base64.b64encode(raw).decode(),
        base64.b64encode(b"user:" + raw).decode(),
        base64.b64encode(b"ab" + raw + b"cd").decode(),
    ):
        shown = redactor.text(f"before {spelt} after")
        assert shown.startswith("before ")
        assert shown.endswith(" after")
        assert MASK in shown
        assert spelt not in shown
        assert shown.count(MASK) * len(MASK) >= len(shown) - len("before  after") - 12


SPELT: dict[str, Callable[[str], str]] = {
    "in a URL, slashes kept": quote,
    "in a URL, small letters": lambda s: re.sub("%..", lambda m: m[0].lower(), quote(s, safe="")),
    "in a URL within a URL": lambda s: quote(quote(s, safe=""), safe=""),
    "in a form": quote_plus,
    "JSON within JSON": lambda s: json.dumps(json.dumps(s))[3:-3],
    "JSON of PHP": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "JSON of Go": lambda s: json.dumps(s)[1:-1].replace("<", "\\u003C").replace("&", "\\u0026"),
    "for a shell": lambda s: shlex.quote(s)[1:-1] if shlex.quote(s) != s else s,
    "in single quotes": lambda s: s.replace("'", "'\\''"),
    "in double quotes": lambda s: re.sub(r'(["$`\\])', r"\\\1", s),
    "by printf %q": lambda s: re.sub(r"([^\w./:=@%+,-])", r"\\\1", s, flags=re.ASCII),
    "in SQL": lambda s: s.replace("'", "''"),
    "in HTML": html.escape,
    "in hexadecimal": lambda s: s.encode().hex(),
    "in hexadecimal, spaced": lambda s: s.encode().hex(" ").upper(),
    "as Python's bytes": lambda s: repr(s.encode())[2:-1],
    "in ASCII": lambda s: s.encode("ascii", "backslashreplace").decode(),
    "in wrapped Base64": lambda s: base64.encodebytes(b"x" * 50 + s.encode() + b"y" * 40).decode(),
    "in Base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
}
AWKWARD = [
    *DECLARED.values(),
    "it's a 'quoted' secret",
    "back\\slash\\secret",
    "dollar$HOME`x`!secret",
    "tok-0123456789-secret/+=",
]


@pytest.mark.parametrize("spell", SPELT.values(), ids=SPELT)
def test_however_a_tool_spells_it(spell: Callable[[str], str]) -> None:
    for secret in AWKWARD:
        spelt, shown = spell(secret), Redactor([secret]).text(f"before {spell(secret)} after")
        assert MASK in shown, spelt
        # A piece as long as half of it would be as good as the whole.
        half = max(6, len(spelt) // 2)
        pieces = {spelt[at : at + half] for at in range(len(spelt) - half + 1)}
        if "Base64" not in spelt and not spelt.startswith("eHh4"):
            assert not any(piece in shown for piece in pieces), (spelt, shown)


def test_what_is_typed_late_costs_no_freeze() -> None:
    """Neither adding one nor a page of text holds the keys up."""
    redactor = Redactor(f"{number:02}/{'s3crEt-' * 5}=" for number in range(10))
    began = time.process_time()
    redactor.add("one more, typed just now: $x/y")
    assert time.process_time() - began < 0.5 * slowness()
    began = time.process_time()
    redactor.text("GET /v1/events?limit=100 200 12 ms\n" * 900)
    assert time.process_time() - began < 0.5 * slowness()


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


def test_the_password_of_an_address_alone() -> None:
    redactor = Redactor([DECLARED["dsn"]])
    assert redactor.text('FATAL: password "s3cr3t/part" failed') == f'FATAL: password "{MASK}" failed'


@pytest.mark.parametrize(("text", "secret"), LOOKS.values(), ids=LOOKS)
def test_what_looks_like_one(text: str, secret: str) -> None:
    shown = Redactor().text(f"x {text} y")
    assert secret not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        "GET /v1/events?limit=100",
        "dpl_8xK2qWvTn4RzYbLmJc7Hs9Dp READY 9f31c0a",
        "password authentication failed for user ana",
        "https://app.isla.link:443/api/health",
        "2026-11-23T14:12:41Z 42 rows in 12 ms",
        "commit c02d9150000000000000000000000000000000ab",
        "SELECT token_count FROM sessions",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_a_short_word_does_not_riddle_the_text() -> None:
    assert Redactor(["", "a", "abc"]).text("a cab abc") == "a cab abc"


def test_across_every_cut() -> None:
    """Wherever output is cut, no half of a secret stays."""
    secret = "0123456789abcdefghij"
    redactor = Redactor([secret])
    text = "x" * 50 + secret + "y" * 50
    for size in range(len(text)):
        cut = redactor.cut(text, size)
        assert not any(secret[:n] in cut for n in (1, 2, 5, 19))
    for start in range(len(text)):
        window = redactor.window(text, start, len(text))
        assert not any(secret[-n:] in window for n in (1, 2, 5, 19))


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
