"""A corpus of secrets: declared ones in every spelling, and what looks like one."""

import base64
import html
import json
import re
import shlex
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from isla_console.settings.secret import MASK, Secret
from isla_console.text.redact import Redactor, redact, redact_statement
from tests.support.pace import slowness

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


ADDRESSES = {
    "plain": ("postgresql://ana:hunter22@db/isla", "hunter22"),
    "percent-encoded": ("postgresql://ana:hun%2Fter%3F22@db/isla", "hun/ter?22"),
    "unescaped at sign": ("postgresql://ana:hunt@er22@db/isla", "hunt@er22"),
    "unescaped colon": ("postgresql://ana:hunt:er22@db/isla", "hunt:er22"),
    "unescaped hash": ("postgresql://ana:hunt#er22@db/isla", "hunt#er22"),
    "in the query": ("postgresql://ana@db/isla?sslmode=require&password=hunter%4022", "hunter@22"),
    "of the key": ("postgresql://ana@db/isla?sslpassword=hunter22", "hunter22"),
    "of a proxy": ("http://ana:hunter22@proxy:8080", "hunter22"),
}


@pytest.mark.parametrize(("address", "password"), ADDRESSES.values(), ids=ADDRESSES)
def test_every_address_hides_its_password(address: str, password: str) -> None:
    """Whoever asks: the console's output, a probe's answer, a database's error."""
    for hide in (Redactor([Secret(address)]).text, lambda text: redact(text, Secret(address))):
        for spelt in (password, quote(password, safe=""), address):
            shown = hide(f'server said: "{spelt}" is wrong')
            assert password not in shown
            assert quote(password, safe="") not in shown
            assert shown.startswith('server said: "')


STATEMENTS = {
    "role": ("ALTER ROLE ana PASSWORD 'hunter22'", f"ALTER ROLE ana PASSWORD '{MASK}'"),
    "short": ("CREATE ROLE a LOGIN password  'x'", f"CREATE ROLE a LOGIN password  '{MASK}'"),
    "quote in it": ("ALTER ROLE ana PASSWORD 'it''s' VALID", f"ALTER ROLE ana PASSWORD '{MASK}' VALID"),
    "server options": ("OPTIONS (user 'a', password 'b')", f"OPTIONS (user 'a', password '{MASK}')"),
    "compared": ("WHERE password = 'hunter22'", f"WHERE password = '{MASK}'"),
    "address": ("dblink('postgres://a:b/c:d@h/x')", f"dblink('postgres://a:{MASK}@h/x')"),
    "key": ("VALUES ('sk_live_51Habcdef')", f"VALUES ('{MASK}')"),
}


@pytest.mark.parametrize(("sql", "shown"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_is_journalled_without_secrets(sql: str, shown: str) -> None:
    assert redact_statement(sql) == shown


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT s.token FROM sessions s JOIN tokens t ON s.token = t.token_value",
        "UPDATE users SET password_hash = crypt($1, gen_salt('bf'))",
        "SELECT count(*) FROM sessions WHERE token = 'none yet'",
    ],
)
def test_a_statement_stays_the_one_that_was_run(sql: str) -> None:
    assert redact_statement(sql) == sql


def test_a_servers_words_stay_words() -> None:
    """What only might be a secret is left: it is why the request failed."""
    said = '{"error": "invalid token: expired", "password": "required"}'
    assert redact(said, Secret("Bearer abcdef0123456789")) == said
    assert Redactor().text(said) != said


def test_how_short_a_secret_may_be_is_for_the_caller_to_say() -> None:
    assert redact("json abc", Secret("json"), Secret("abc"), shortest=5) == "json abc"
    assert redact("json abc", Secret("json"), Secret("abc")) == f"{MASK} abc"
    assert redact("json abc", Secret("json"), Secret("abc"), shortest=3) == f"{MASK} {MASK}"
