"""Where values come from, what is refused, what is remembered for whom."""

from pathlib import Path

import pytest

from isla_console.runbook.steps import Input, InputType, Pick
from isla_console.settings.secret import MASK
from isla_console.steps.inputs import bound, problem, typed
from tests.steps.support import NOW, Bench, shell_step

DECLARED = {
    "URL": Input(title="Url", type="url", env="MY_URL"),
    "SINCE": Input(title="Since", type="datetime", default="-30m"),
    "ID": Input(title="Id", pattern="dpl_[a-z]+", pick=Pick(step="list", column="id")),
    "KEY": Input(title="Key", type="secret", env="MY_KEY"),
    "TEAM": Input(title="Team", optional=True),
}
STEP = shell_step('x "$URL" "$SINCE" "${ID}" "$KEY" "$TEAM" "$OTHER"')


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, DECLARED, MY_KEY="secret-key")


def test_what_is_missing(bench: Bench) -> None:
    assert [item.name for item in bench.inputs.of(STEP)] == ["URL", "SINCE", "ID", "KEY", "TEAM"]
    assert [item.name for item in bench.inputs.missing(STEP, NOW)] == ["URL", "ID"]
    bench.inputs.remember("URL", "not an address", "typed")
    bench.inputs.remember("ID", "dpl_a", "picked")
    assert [item.name for item in bench.inputs.missing(STEP, NOW)] == ["URL"]


def test_origins(bench: Bench) -> None:
    since, key = bench.inputs.find("SINCE", NOW), bench.inputs.find("KEY", NOW)
    assert since is not None
    assert (since.shown, since.origin) == ("2026-11-23T13:42:41Z", "default")
    assert key is not None
    assert (key.shown, key.origin) == (MASK, "environment")
    assert bench.inputs.find("URL", NOW) is None


def test_remembered_for_one_incident(bench: Bench) -> None:
    bench.inputs.remember("ID", "dpl_a", "picked")
    bench.inputs.remember("KEY", "other-secret", "typed")
    assert bench.inputs.public(STEP) == {"ID": "dpl_a"}
    bench.inputs.forget()
    assert bench.inputs.find("ID", NOW) is None
    bench.inputs.recall([{"ID": "dpl_old"}, {"ID": "dpl_b", "KEY": "x", "NONE": "y"}, {"ID": "bad"}])
    found = bench.inputs.find("ID", NOW)
    assert found is not None
    assert (found.shown, found.origin) == ("dpl_b", "this incident")
    assert bench.inputs.values(STEP, NOW)["KEY"] == "secret-key"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("int", ["1", "-5"], ["1.0", "x", "", "٣x", "9" * 30]),
        ("date", ["2026-11-23"], ["2026-02-30", "today"]),
        ("datetime", ["2026-11-23T14:00:00Z", "-2h"], ["soon", "-2y"]),
        ("email", ["ana@example.com"], ["ana", "a@b", "a b@c.d", "a@b.c\nBcc: x"]),
        ("url", ["https://isla.link"], ["isla.link", "ftp://x", "https://a b"]),
        ("dsn", ["postgresql://a@b/c"], ["mysql://a", "x"]),
        ("text", ["anything ; $(x)"], ["", "a\0b", "x" * 9000]),
    ],
)
def test_types(kind: InputType, good: list[str], bad: list[str]) -> None:
    item = Input(title="It", type=kind)
    for text in good:
        assert problem(item, typed(item, text, NOW)) == ""
    for text in bad:
        assert problem(item, typed(item, text, NOW)).startswith("It: ")


def test_the_whole_value_matches() -> None:
    item = Input(title="It", pattern="[a-z]+")
    assert problem(item, "abc") == ""
    assert problem(item, "abc\n")
    assert problem(item, "abc; rm")
    secret = Input(title="It", type="secret", pattern="rk_[a-z]+")
    assert "hunter2" not in problem(secret, "hunter2")


def test_bound_values_have_their_type() -> None:
    assert bound(Input(title="x", type="int"), "12") == 12
    assert str(bound(Input(title="x", type="date"), "2026-11-23")) == "2026-11-23"
    moment = bound(Input(title="x", type="datetime"), "2026-11-23 14:00:00")
    assert str(moment) == "2026-11-23 14:00:00+00:00"
