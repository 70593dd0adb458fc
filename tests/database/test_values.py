"""What the console computes with, read from PostgreSQL's text and written back as parameters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isla_console.database.session import DatabaseSession
from isla_console.database.values import as_parameter, load, number
from isla_console.net.lookup import Resolver
from tests.support.servers import Postgres


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("int8", "-9223372036854775808", -(2**63)),
        ("oid", "4294967295", 2**32 - 1),
        ("float8", "1e+300", 1e300),
        ("float8", "-Infinity", float("-inf")),
        ("numeric", "1.50", Decimal("1.50")),
        ("bool", "t", True),
        ("bool", "f", False),
        ("timestamptz", "2026-11-23 14:00:00.5+00", datetime(2026, 11, 23, 14, 0, 0, 500_000, UTC)),
        ("timestamptz", "infinity", datetime.max.replace(tzinfo=UTC)),
        ("timestamptz", "-infinity", datetime.min.replace(tzinfo=UTC)),
        ("timestamptz", "275760-09-13 00:00:00+00", datetime.max.replace(tzinfo=UTC)),
        ("timestamptz", "0044-03-15 12:00:00+00 BC", datetime.min.replace(tzinfo=UTC)),
        ("timestamp", "2026-11-23 14:00:00", datetime(2026, 11, 23, 14)),  # noqa: DTZ001
        ("date", "9999-12-31", date(9999, 12, 31)),
        ("date", "275760-09-13", date.max),
        ("interval", "1 day 02:03:04", timedelta(days=1, seconds=7384)),
        ("interval", "-1 days +02:03:00", timedelta(days=-1, seconds=7380)),
        ("interval", "-00:00:05.25", timedelta(seconds=-5.25)),
        ("interval", "1 year 2 mons", timedelta(days=425)),
        ("interval", "00:00:00", timedelta(0)),
        ("int4[]", "{1,NULL,3}", [1, None, 3]),
        ("text[]", '{a,"b, c","d\\"e",NULL,"NULL",""}', ["a", "b, c", 'd"e', None, "NULL", ""]),
        ("text[]", "{}", []),
        # What is not of its type stays the text that it is.
        ("interval", "P1DT2H", "P1DT2H"),
        ("int4[]", "{{1,2},{3,4}}", "{{1,2},{3,4}}"),
        ("date", "no date", "no date"),
        ("money", "$1.00", "$1.00"),
        ("int4", None, None),
    ],
)
def test_loading(type_name: str, text: str | None, value: Any) -> None:
    assert load(text, type_name) == value
    assert type(load(text, type_name)) is type(value)


def test_numbers_only() -> None:
    assert number("00:00:01.5", "interval") == 1.5
    assert number("t", "bool") == 1.0
    assert number("NaN", "float8") is None
    assert number("NaN", "numeric") is None
    assert number("12", "text") is None
    assert number(None, "int4") is None


@given(st.text(), st.sampled_from(["interval", "date", "timestamptz", "int4", "numeric", "text[]", "bool"]))
def test_loading_never_raises(text: str, type_name: str) -> None:
    load(text, type_name)
    number(text, type_name)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(st.one_of(st.none(), texts)))
def test_a_list_of_texts_comes_back(values: list[str | None]) -> None:
    assert load(as_parameter(values), "text[]") == values


async def test_parameters_and_answers_of_a_real_server(postgres: Postgres) -> None:
    database = DatabaseSession(postgres.dsn(), "isla-console/ana@jump1", Resolver())
    sent: dict[str, Any] = {
        "int8": 2**40,
        "bool": False,
        "numeric": Decimal("0.10"),
        "timestamptz": datetime(2026, 11, 23, 14, 5, 6, 700, UTC),
        "date": date(2024, 2, 29),
        "interval": timedelta(days=-2, seconds=5, microseconds=7),
        "text[]": ["a", None, "", 'b"\\,{}\n'],
        "int4[]": [1, -2, None],
    }
    try:
        for type_name, value in sent.items():
            sql = f"SELECT $1::{type_name} AS value"
            [row] = await database.rows(sql, value, deadline_s=5)
            assert row["value"] == value, type_name
    finally:
        await database.close()
