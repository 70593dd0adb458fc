"""Amounts: every currency that Stripe takes, by its own decimals."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from isla_console.text.money import STRIPE, amount_text

ZERO = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV"]
ZERO += ["XAF", "XOF", "XPF"]
THREE = ["BHD", "JOD", "KWD", "OMR", "TND"]
HUNDREDTHS_OF_WHOLE = ["ISK", "UGX"]
TWO = ["USD", "EUR", "GBP", "HUF", "TWD", "CHF", "AUD", "BRL", "INR", "MXN", "PLN", "SEK"]
"""What docs.stripe.com/currencies says."""


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (92_000, "kwd", "92.000 KWD"),
        (1200, "usd", "12.00 USD"),
        (5, "eur", "0.05 EUR"),
        (500, "jpy", "500 JPY"),
        (500, "isk", "5 ISK"),
        (550, "isk", "5.50 ISK"),
        (500, "ugx", "5 UGX"),
        (1045, "huf", "10.45 HUF"),
        (1045, "twd", "10.45 TWD"),
        (700, "mga", "700 MGA"),
        (-1205, "usd", "-12.05 USD"),
        (0, "usd", "0.00 USD"),
        (12_345_678_901_234_567_890, "usd", "123456789012345678.90 USD"),
        (1200, "usdc", "1200 smallest units of USDC"),
        (1200, "", "1200 smallest units of no currency"),
        (1200, "xau", "1200 smallest units of XAU"),
        (None, "usd", "? USD"),
        ("1200", "usd", "? USD"),
    ],
)
def test_as_written(value: object, currency: str, text: str) -> None:
    assert amount_text(value, currency) == text


@pytest.mark.parametrize(
    ("codes", "decimals"), [(ZERO, 0), (THREE, 3), (TWO, 2), (HUNDREDTHS_OF_WHOLE, 2)], ids=str
)
def test_every_currency_is_counted_as_stripe_says(codes: list[str], decimals: int) -> None:
    for code in codes:
        number = Decimal(amount_text(123_456, code).split()[0])
        assert number == Decimal(123_456).scaleb(-decimals), code


def test_an_exception_is_one() -> None:
    """Where ISO 4217 has come to say the same, the exception goes."""
    assert {code: Currency(code).exponent for code in STRIPE}.items().isdisjoint(STRIPE.items())


@given(st.integers(), st.sampled_from([currency.code for currency in Currency]))
def test_no_amount_loses_anything(value: int, code: str) -> None:
    text = amount_text(value, code)
    assert text.endswith(code)
    written = re.sub(r"\D", "", text.removesuffix(code))
    assert int(written) in {abs(value), abs(value) // 100}
    assert text.startswith("-") == (value < 0)
