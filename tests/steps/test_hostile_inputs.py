"""A hundred values that want out of their place: through shell, HTTP and SQL steps."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import pytest_asyncio

from isla_console.runbook.steps import HttpCall, Input, Step
from isla_console.runbook.templates import PlaceError
from isla_console.steps import http
from isla_console.steps.environment import check_shell
from tests.steps.support import Bench, http_step, shell_step

MARK = "isla-was-here"
QUOTES = ["'", '"', "`", "''", '""', "'\"'", "\\", "\\'", '\\"', "'; '", '"; "']
COMMANDS = [f"touch {MARK}", f"touch${{IFS}}{MARK}", f">{MARK}", f"printf x>{MARK}"]
WRAPPED = [
    wrap.replace("@", command)
    for command in COMMANDS
    for wrap in (
        "$(@)",
        "`@`",
        ";@",
        ";@;",
        "&&@",
        "||@",
        "|@",
        "&@",
        "\n@\n",
        "'$(@)'",
        '"$(@)"',
        "';@;'",
        '";@;"',
    )
]
PLACES = [
    "../../etc/passwd",
    "..",
    ".",
    "%2e%2e/",
    "a/b",
    "?x=1",
    "#top",
    "a&b=c",
    "@evil.example",
    "//evil.example/",
]
PLACES += [
    "http://evil.example/",
    "a b",
    "a\tb",
    "a\r\nX-Evil: 1",
    "a\nb",
    "a\u2028b",
    "\u202eevil",
    "\ufeff",
    "é",
    "😀",
]
OPTIONS = ["-rf", "--help", "-", "--", "-e system('x')", "--output=/tmp/x"]
SQL = ["1; DROP TABLE links", "1' OR '1'='1", "$1", "$$;--", "/*", "*/ DELETE FROM links --", "E'\\''"]
OTHER = [
    "${PATH}",
    "$HOME",
    "~",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "!!",
    "%s%n",
    "{{7*7}}",
    "<script>",
    "\x1b[2J",
    "\x07",
]
VALUES = list(dict.fromkeys([*QUOTES, *WRAPPED, *PLACES, *OPTIONS, *SQL, *OTHER]))


def test_there_are_a_hundred() -> None:
    assert len(VALUES) >= 100


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, {"VALUE": Input(title="A value")})


async def test_shell(bench: Bench, tmp_path: Path) -> None:
    """Each arrives as it is, in one piece, or is refused; none is executed."""
    step = shell_step(f'cd {tmp_path} && printf "%s" "$VALUE" | od -An -v -tx1')
    refused = 0
    for value in VALUES:
        bench.inputs.remember("VALUE", value, "typed")
        outcome = await bench.do(step)
        if outcome.exit_code == 2:
            assert value.startswith("-"), outcome.result
            refused += 1
        else:
            assert bytes.fromhex("".join(outcome.output.split())) == value.encode()
        assert not (tmp_path / MARK).exists(), value
        assert os.listdir(tmp_path) == [], value  # noqa: PTH208
    assert refused == len(OPTIONS)


@pytest.mark.parametrize(
    "script",
    [
        "echo $VALUE",
        "echo '' $VALUE",
        'eval echo "$VALUE"',
        'sh -c "echo $VALUE"',
        "bash -c 'x' \"$VALUE\"",
        "trap 'eval $VALUE' EXIT",
        'awk "BEGIN { print \\"$VALUE\\" }"',
        'echo x | sed "s/x/$VALUE/"',
        'python3 -c "print($VALUE)"',
        'echo "$VALUE" | sh',
        "echo $(( $VALUE ))",
        '[[ "$VALUE" -eq 1 ]] || true',
        'X="$VALUE"; eval "$X"',
        'bash <<< "$VALUE"',
        'env "$VALUE" true',
    ],
)
async def test_shell_that_would_take_it_apart(bench: Bench, tmp_path: Path, script: str) -> None:
    """A script that splits or evaluates its input gets plain values only."""
    for value in VALUES:
        bench.inputs.remember("VALUE", value, "typed")
        outcome = await bench.do(shell_step(f"cd {tmp_path} && {script}"))
        assert not (tmp_path / MARK).exists(), value
        if any(char in value for char in "$`;&|<>*?'\"\n (){}"):
            assert outcome.exit_code == 2, value


def test_a_dash_is_fine_where_the_pattern_wants_it() -> None:
    check_shell('x "$NAME"', Input(name="NAME", title="x", pattern=r"-\d+m"), "-30m")
    with pytest.raises(PlaceError, match="leading dash"):
        check_shell('x "$NAME"', Input(name="NAME", title="x"), "-30m")
    with pytest.raises(PlaceError, match="NUL"):
        check_shell('x "$NAME"', Input(name="NAME", title="x"), "a\0b")


class Server:
    """Keeps the request lines, headers and bodies it gets."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, list[str], bytes]] = []
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        length = next((int(h.split(":")[1]) for h in head if h.lower().startswith("content-length")), 0)
        self.requests.append((head[0], head[1:], await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    listening = await asyncio.start_server(found.take, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield found


async def test_http(bench: Bench, server: Server) -> None:
    """In the path one segment, in the query one value, in JSON one string."""
    step = http_step(
        f"{server.url}/v1/${{VALUE}}/retry",
        "POST",
        query={"q": "${VALUE}"},
        body={"text": "x ${VALUE}", "list": ["${VALUE}"], "n": 1},
    )
    for value in VALUES:
        bench.inputs.remember("VALUE", value, "typed")
        server.requests.clear()
        outcome = await bench.do(step)
        if outcome.exit_code:
            assert value in {".", ".."}, (value, outcome.result)
            assert not server.requests
            continue
        line, headers, body = server.requests[0]
        target = urlsplit(line.split(" ")[1])
        assert line.split(" ")[0] == "POST"
        parts = target.path.split("/")
        assert [parts[1], unquote(parts[2]), parts[3]] == ["v1", value, "retry"], value
        assert len(parts) == 4
        assert parse_qs(target.query, keep_blank_values=True) == {"q": [value]}
        assert json.loads(body) == {"text": f"x {value}", "list": [value], "n": 1}
        assert not any("evil" in header.lower() for header in headers)


async def test_headers_and_forms(bench: Bench, server: Server) -> None:
    step = http_step(f"{server.url}/", "POST", headers={"X-Value": "v ${VALUE}"}, form={"a": "${VALUE}"})
    for value in VALUES:
        bench.inputs.remember("VALUE", value, "typed")
        server.requests.clear()
        outcome = await bench.do(step)
        if not server.requests:
            assert outcome.exit_code == 2
            assert any(ord(char) < 32 or ord(char) > 255 for char in value), value
            continue
        _, headers, body = server.requests[0]
        assert not any(header.startswith("X-Evil") for header in headers)
        assert parse_qs(body.decode(), keep_blank_values=True) == {"a": [value]}


def test_an_address_stays_one() -> None:
    call = HttpCall(url="${VALUE}/health")
    for value in (
        "ftp://x",
        "x",
        "http://a@evil",
        "http://a b",
        "http://x?y",
        "http://x#y",
        "javascript:1",
        "http://",
    ):
        with pytest.raises(PlaceError):
            http.build(call, {"VALUE": value})
    assert http.build(call, {"VALUE": "https://app.isla.link/"}).url == "https://app.isla.link/health"


async def test_sql(bench: Bench) -> None:
    """The statement never changes: every value is a parameter."""
    statement = "SELECT * FROM links WHERE slug = $1"
    for value in VALUES:
        bench.inputs.remember("VALUE", value, "typed")
        await bench.do(Step(id="step", title="A step", kind="sql", run=statement, params=("VALUE",)))
        assert bench.statements[-1] == (statement, [value])
