"""Answers that are not what they promised, redirects, caps, streams."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from isla_console.runbook.steps import Effect, Expect, Input, Seen
from isla_console.settings.secret import MASK
from isla_console.steps import http
from isla_console.steps.guard import Judgement
from isla_console.steps.http import Request
from isla_console.steps.output import HEAD, TAIL, Capture
from isla_console.steps.rows import NOTHING, Row, tabulated
from isla_console.steps.runner import UNKNOWN
from tests.steps.support import NOW, Bench, http_step, shell_step
from tests.support.waiting import PATIENCE_S

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers with whatever a test says; keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.respond: Respond = self.plain(b"{}")

    def plain(self, body: bytes, status: str = "200 OK", headers: str = "") -> Respond:
        async def respond(writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}Connection: close\r\n\r\n"
            writer.write(head.encode() + body)

        return respond

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            await self.respond(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    listening = await asyncio.start_server(found.take, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield found
    listening.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(
        tmp_path, {"TOKEN": Input(title="A token", secret=True, env="MY_TOKEN")}, MY_TOKEN="tok-1234567890"
    )


async def test_rows_and_expectation(bench: Bench, server: Server) -> None:
    server.respond = server.plain(json.dumps({"data": [{"id": 1, "x": "a"}, {"id": 2, "x": "b"}]}).encode())
    step = http_step(
        server.url, table="data[].{id: id, x: x}", expect=Expect.model_validate({"rows": "<= 0"})
    )
    first = await bench.do(step)
    assert (first.result, first.met, first.expected) == ("200 · 2 rows", False, "<= 0 rows")
    assert first.rows == ({"id": 1, "x": "a"}, {"id": 2, "x": "b"})
    assert first.changed is None
    server.respond = server.plain(json.dumps({"data": [{"id": 2, "x": "c"}, {"id": 3, "x": "d"}]}).encode())
    assert (await bench.do(step)).changed == ("2: x b → c", "+ 3", "- 1")
    assert (await bench.do(step)).changed == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>down</html>", "not the JSON it promised"),
        (b"", "not the JSON it promised"),
        (b"{", "not the JSON it promised"),
        (b"[" * 100_000, "not the JSON it promised"),
        (b'{"data": "none"}', "JSON of another shape than the runbook expects"),
        (b"null", "JSON of another shape than the runbook expects"),
        (b"\xff\xfe{}", "not the JSON it promised"),
    ],
)
async def test_another_answer_than_promised(bench: Bench, server: Server, body: bytes, said: str) -> None:
    server.respond = server.plain(body, headers="Content-Type: text/html\r\n")
    outcome = await bench.do(http_step(server.url, table="data[].{id: id}"))
    assert said in outcome.result
    assert (outcome.exit_code, outcome.rows) == (1, None)


def test_a_table_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        tabulated({"data": 1}, "sort_by(data, &id)")


@pytest.mark.parametrize(
    ("data", "table", "rows", "count", "note"),
    [
        ({"data": []}, "data[].{id: id}", (), 0, ""),
        ({"data": [{"id": 1}]}, "data[].{id: id}", ({"id": 1},), 1, ""),
        ({"id": 1}, "{id: id}", ({"id": 1},), 1, ""),
        ({"last": None}, "[last.{to: to}]", (), None, NOTHING),
        ([None, None], None, (), None, NOTHING),
        ([None, {"id": 1}], None, ({"id": 1},), 1, ""),
        (["a", 1, None], None, ({"value": "a"}, {"value": 1}), 2, ""),
        ([["a"], {"id": 1}], "[]", ({"value": "a"}, {"id": 1}), 2, ""),
        ({"other": 1}, "[{id: id, x: x}]", None, None, "another shape"),
        ({"data": [{"a": 1}, {"a": 2}]}, "data[].{id: id}", None, None, "another shape"),
        ({"data": None}, "data[].{id: id}", (), None, NOTHING),
        ({"data": [{"id": None}]}, "data[].{id: id}", ({"id": None},), 1, ""),
        ({"targets": None}, "[{id: targets.production.id}]", ({"id": None},), 1, ""),
        ({"targets": {}}, "[{id: targets.production.id}]", None, None, "another shape"),
        ({"a": {"b": None}}, "[{id: not_null(a.c, a.b)}]", ({"id": None},), 1, ""),
        ({"parts": None}, "parts[?up != 'yes'].{id: id}", (), None, NOTHING),
        ({"parts": "x"}, "parts[?up != 'yes'].{id: id}", None, None, "another shape"),
        ({"result": None, "error": "bad query"}, "result[].{id: id}", (), None, "bad query"),
        ({"result": None, "error": {"message": "bad\nquery"}}, "result[].{id: id}", (), None, "bad query"),
        ({"result": None, "errors": [{"detail": "bad"}]}, "result[].{id: id}", (), None, "bad"),
        ({"id": None, "message": "gone"}, "[{id: id}]", ({"id": None},), 1, "gone"),
        (
            {"message": "no such project"},
            "[{id: id}]",
            None,
            None,
            "; it says: no such project",
        ),
        ({"error": 3, "other": 1}, "[{id: id}]", None, None, "another shape"),
        ([{"at": "2026-11-26T10:00:00.123"}], None, ({"at": "2026-11-26T10:00:00.123Z"},), 1, ""),
        ([{"at": "2026-11-26 10:00:00"}], None, ({"at": "2026-11-26T10:00:00Z"},), 1, ""),
        ([{"at": "2026-11-26T10:00:00+01:00"}], None, ({"at": "2026-11-26T10:00:00+01:00"},), 1, ""),
        ([{"at": "2026-11-26"}], None, ({"at": "2026-11-26"},), 1, ""),
        ({"data": 3}, "data", None, None, "another shape"),
        ("text", None, None, None, "another shape"),
        (None, None, None, None, "another shape"),
    ],
)
def test_tables(
    data: object, table: str | None, rows: tuple[Row, ...] | None, count: int | None, note: str
) -> None:
    found = tabulated(data, table)
    assert (found.rows, found.count) == (rows, count)
    assert note in found.note
    assert bool(note) is bool(found.note)


@pytest.mark.parametrize(
    ("body", "table", "result", "met", "code"),
    [
        (b'{"last": null}', "[last.{to: to}]", f"200 · {NOTHING}", False, 1),
        (b'["a", 1]', "[]", "200 · 2 rows", False, 1),
        (b'{"data": null}', "data", f"200 · {NOTHING}", False, 1),
        (b'{"data": 1}', "data", "200 · JSON of another shape than the runbook expects", False, 1),
        (b'{"data": null, "error": "no access"}', "data", "200 · no access", False, 1),
        (b'{"data": []}', "data", "200 · 0 rows", True, 0),
    ],
)
async def test_no_rows_are_not_taken_for_none(
    bench: Bench, server: Server, body: bytes, table: str, result: str, met: bool, code: int
) -> None:
    """What was promised to be empty must be there and be empty."""
    server.respond = server.plain(body)
    step = http_step(server.url, table=table, expect=Expect.model_validate({"rows": "<= 0"}))
    outcome = await bench.do(step)
    assert (outcome.result, outcome.met, outcome.exit_code) == (result, met, code)


async def test_null_where_nothing_was_promised(bench: Bench, server: Server) -> None:
    """Before the first rollback there is no change to tell of: that is no fault of the answer."""
    server.respond = server.plain(b'{"last": null}')
    outcome = await bench.do(http_step(server.url, table="[last.{to: to}]"))
    assert (outcome.result, outcome.rows, outcome.exit_code) == (f"200 · {NOTHING}", (), 0)


async def test_what_a_vendor_says_of_an_error_is_shown_and_no_secret_with_it(
    bench: Bench, server: Server
) -> None:
    """An answer that says what is wrong in the rows' place is no good answer, whatever its status."""
    bench.redactor.add("s3cr3t-token-value")
    server.respond = server.plain(b'{"result": null, "error": "token s3cr3t-token-value may not read"}')
    outcome = await bench.do(http_step(server.url, table="result[].{id: id}"))
    assert outcome.result.startswith("200 · token ")
    assert outcome.result.endswith(" may not read")
    assert "s3cr3t" not in outcome.result + outcome.output
    assert (outcome.rows, outcome.exit_code) == ((), 1)


async def test_a_row_of_nothing_but_nulls_is_a_row(bench: Bench, server: Server) -> None:
    server.respond = server.plain(b'{"targets": null}')
    outcome = await bench.do(
        http_step(server.url, table="[{id: targets.production.id, at: targets.production.at}]")
    )
    assert (outcome.result, outcome.rows, outcome.exit_code) == (
        "200 · 1 row",
        ({"id": None, "at": None},),
        0,
    )
    assert outcome.output == "id\tat\n–\t–"


@pytest.mark.parametrize(
    ("script", "result", "rows"),
    [
        ("echo '[{\"id\": 1}]'", "exit 0", ({"id": 1},)),
        ('echo \'[{"id": 1, "token": 123456, "password": "abc\\"def"}]\'', "exit 0", None),
        ("echo '{\"id\": 1'", "exit 0 · not the JSON it promised", None),
        ("echo null", "exit 0 · JSON of another shape than the runbook expects", None),
        ("echo '[null]'", f"exit 0 · {NOTHING}", ()),
        ("yes '[' | head -c 200000", "exit 0 · not the JSON it promised", None),
        ("yes '[' | head -c 900000", "exit 0 · longer than what is kept, not tabulated", None),
    ],
)
async def test_tables_of_a_command(
    bench: Bench, script: str, result: str, rows: tuple[Row, ...] | None
) -> None:
    outcome = await bench.do(shell_step(script, table="@"))
    assert outcome.result == result
    if "password" in script:
        assert outcome.rows == ({"id": 1, "token": 123456, "password": MASK},)
    else:
        assert outcome.rows == rows


async def test_an_empty_list_is_no_rows(bench: Bench, server: Server) -> None:
    server.respond = server.plain(b'{"data": []}')
    outcome = await bench.do(http_step(server.url, table="data[].{id: id}"))
    assert (outcome.result, outcome.rows, outcome.exit_code) == ("200 · 0 rows", (), 0)


async def test_a_redirect_is_an_answer(bench: Bench, server: Server) -> None:
    """The other host is never asked, so that no credential can reach it."""
    other = Server()
    async with await asyncio.start_server(other.take, "127.0.0.1", 0) as listening:
        other.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            server.respond = server.plain(b"", status, f"Location: {other.url}/steal?k=tok-1234567890\r\n")
            outcome = await bench.do(http_step(server.url, headers={"Authorization": "Bearer ${TOKEN}"}))
            assert "not followed" in outcome.result
            assert "tok-1234567890" not in repr(outcome)
    assert not other.asked
    assert "Bearer tok-1234567890" in server.asked[-1]


async def test_a_huge_answer_is_cut(bench: Bench, server: Server) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[")
        for _ in range(2000):
            writer.write(b'{"id": "' + b"x" * 65_000 + b'"},')
            await writer.drain()

    server.respond = endless
    outcome = await bench.do(http_step(server.url, table="[].{id: id}"))
    assert "longer than 8 MiB, not tabulated" in outcome.result
    assert outcome.truncated
    assert len(outcome.output) <= HEAD + TAIL


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
async def test_a_few_bytes_that_are_gigabytes(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch, packing: str
) -> None:
    """Unpacked in small pieces, and only as far as it is looked at."""
    pack = zlib.compressobj(9, wbits=31 if packing == "gzip" else 15)
    bomb = b"".join(pack.compress(b"[" + b" " * 2**20) for _ in range(20)) + pack.flush()
    sizes: list[int] = []
    feed = Capture.feed

    def seen(self: Capture, data: bytes) -> None:
        sizes.append(len(data))
        feed(self, data)

    monkeypatch.setattr(Capture, "feed", seen)
    server.respond = server.plain(bomb, headers=f"Content-Encoding: {packing}\r\n")
    outcome = await bench.do(http_step(server.url, table="@"))
    assert "longer than 8 MiB" in outcome.result
    assert max(sizes) <= 64 * 1024
    assert sum(sizes) < 9 * 2**20
    assert "accept-encoding: identity" in server.asked[0].lower()
    stream = bench.runner.start(http_step(server.url, id="s", effect="stream"), Judgement("stream"), NOW)
    assert stream.task is not None
    await asyncio.wait_for(stream.task, PATIENCE_S)
    assert max(sizes) <= 2 * 64 * 1024 + 1


@pytest.mark.parametrize(
    ("packing", "body", "said"),
    [
        ("gzip", b"no gzip at all", "the answer's compression is broken"),
        ("br", b"\x0b\x02\x80", "it is packed as br, which was not asked for"),
        ("gzip", gzip.compress(b'{"id": 1}', mtime=0), "1 row"),
        ("", b'{"id": 1}', "1 row"),
    ],
    ids=["broken", "not asked for", "gzip", "plain"],
)
async def test_packed_answers(bench: Bench, server: Server, packing: str, body: bytes, said: str) -> None:
    server.respond = server.plain(body, headers=f"Content-Encoding: {packing}\r\n")
    assert said in (await bench.do(http_step(server.url, table="@"))).result


async def test_headers_without_end(bench: Bench, server: Server) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(20_000):
            writer.write(b"X-%d: %s\r\n" % (number, b"y" * 500))
            await writer.drain()

    server.respond = endless
    outcome = await bench.do(http_step(server.url, timeout_s=10))
    assert (outcome.ending, outcome.status) == ("failed", None)
    assert "timed out" not in outcome.result


async def test_long_lines_of_a_stream_stay_small(bench: Bench, server: Server) -> None:
    """Whatever stands in a line, what is kept of it to be looked at has its bound."""

    async def lines(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        wide = {f"c{number}": "v" * 500 for number in range(90)}
        for one in (wide, {"deep": [["x" * 900] * 40]}, {"token": "abcdef", "n": 1}):
            writer.write(json.dumps(one).encode() + b"\n")

    server.respond = lines
    run = bench.runner.start(http_step(server.url, effect="stream"), Judgement("stream"), NOW)
    await run.task
    assert run.received == 3
    assert all(len(str(row)) < 24 * 420 for row in run.rows)
    assert run.rows[-1] == {"token": MASK, "n": 1}


async def test_an_answer_that_hangs(bench: Bench, server: Server) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        await asyncio.sleep(5)

    server.respond = hang
    step = http_step(server.url, timeout_s=0.3, seen=(Seen(pattern="(?i)404|timed out", symptom="slow"),))
    outcome = await bench.do(step)
    assert (outcome.ending, outcome.result, outcome.symptoms) == (
        "failed",
        "timed out after 0.3 s",
        ("slow",),
    )


async def test_it_can_be_stopped(bench: Bench, server: Server) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    server.respond = hang
    run = bench.runner.start(http_step(server.url), Judgement("read"), NOW)
    await asyncio.sleep(0.1)
    assert bench.runner.stop("step")
    assert (await run.task).ending == "stopped"
    assert not bench.runner.stop("step")


@pytest.mark.parametrize("how", ["stopped", "timed out", "broken off", "read"])
async def test_a_change_without_an_answer_may_have_been_made(bench: Bench, server: Server, how: str) -> None:
    """Only the server knows: what is journalled must not read as if nothing had been done."""

    async def hang(writer: asyncio.StreamWriter) -> None:
        if how != "broken off":
            await asyncio.sleep(5)

    server.respond = hang
    effect: Effect = "read" if how == "read" else "destroy"
    step = http_step(server.url, "POST", timeout_s=3 if how == "timed out" else 20)
    run = bench.runner.start(step, Judgement(effect), NOW)
    async with asyncio.timeout(PATIENCE_S):
        while not server.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    if how in {"stopped", "read"}:
        bench.runner.stop("step")
    outcome = await run.task
    assert outcome.exit_code != 0
    assert outcome.result.endswith(UNKNOWN) is (how != "read")


async def test_a_change_that_was_not_sent_was_not_made(bench: Bench) -> None:
    outcome = await bench.do(http_step("http://127.0.0.1:1/", "POST"), "destroy")
    assert outcome.result.startswith("cannot connect")
    assert UNKNOWN not in outcome.result


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://no-such-host.invalid/"])
async def test_nobody_there(bench: Bench, url: str) -> None:
    outcome = await bench.do(http_step(url))
    assert outcome.ending == "failed"
    assert outcome.result.startswith("cannot connect")


async def test_a_stream_of_json_lines(bench: Bench, server: Server) -> None:
    """Rows as they come; a line that is no JSON is shown as it is; a stop ends it."""

    async def lines(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for part in (
            b'{"m": "one"}\n{"m"',
            b': "two"}\n\nnot json\n',
            b"y" * 200_000,
            b"y\n" + b'{"m": "last"}\n',
        ):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        await asyncio.sleep(5)

    server.respond = lines
    step = http_step(server.url, effect="stream", table="{m: m}", seen=(Seen(pattern="last", symptom="end"),))
    run = bench.runner.start(step, Judgement("stream"), NOW)
    for _ in range(100):
        if run.received >= 5:
            break
        await asyncio.sleep(0.02)
    bench.runner.stop("step")
    outcome = await run.task
    assert [row.get("m") or str(row.get("line"))[:8] for row in run.rows] == [
        "one",
        "two",
        "not json",
        "yyyyyyyy",
        "last",
    ]
    assert all(len(str(row)) < 5000 for row in run.rows)
    assert (outcome.ending, outcome.symptoms) == ("stopped", ("end",))


async def test_a_stream_that_is_refused(bench: Bench, server: Server) -> None:
    server.respond = server.plain(b'{"error": {"message": "Not authorized"}}', "403 Forbidden")
    outcome = await bench.do(http_step(server.url, effect="stream", table="{m: m}"), "stream")
    assert outcome.exit_code == 1
    assert "403" in outcome.result
    assert "Not authorized" in outcome.output


async def test_optional_inputs_are_left_out(server: Server) -> None:
    call = http_step(server.url, query={"a": "1", "teamId": "${TEAM}"}, headers={"X": "${TEAM}"}).http
    assert call is not None
    request = http.build(call, {})
    assert (request.query, request.headers) == ({"a": "1"}, {})


async def test_nothing_is_raised_for_a_broken_server(server: Server) -> None:
    async def rubbish(writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01 this is no HTTP\r\n\r\n")

    server.respond = rubbish
    answer = await http.send(Request("GET", server.url), Capture())
    assert answer.status is None
    assert answer.problem
