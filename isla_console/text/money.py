"""Amounts as payment APIs count them, written with the currency's own decimals.

How many decimals a currency has is ISO 4217's table, from the package of that name. What Stripe does
otherwise is in `STRIPE`, from docs.stripe.com/currencies ("Zero-decimal currencies" and "Special cases").
"""

from __future__ import annotations

import functools
from typing import Final

STRIPE: Final = {"ISK": 2, "UGX": 2, "MGA": 0}
"""The decimals by which Stripe counts where ISO 4217 has others.

Crowns of Iceland and shillings of Uganda have no smaller unit any more, and are still counted in hundredths;
an ariary has five of a smaller unit, and is counted whole. Forints and Taiwan's dollars are counted in
hundredths also where a payout must be whole.
"""


def amount_text(value: object, currency: str) -> str:
    """Return `12.00 EUR`, `920 JPY` or `92.000 KWD` for a number of the currency's smallest units.

    Where the currency is not known, it is said that these are smallest units: nothing is guessed.
    """
    code = currency.upper()
    if isinstance(value, bool) or not isinstance(value, int):
        return f"? {code}".rstrip()
    decimals = _decimals(code)
    counted = STRIPE.get(code, decimals)
    if counted is None:
        return f"{value} smallest units of {code or 'no currency'}"
    sign, (whole, rest) = "-" if value < 0 else "", divmod(abs(value), 10**counted)
    if not counted or (not decimals and not rest):
        return f"{sign}{whole} {code}"
    return f"{sign}{whole}.{rest:0{counted}} {code}"


@functools.cache
def _decimals(code: str) -> int | None:
    """Return how many decimals a currency has; None for one that is not in ISO 4217 or has none there."""
    from iso4217 import Currency  # reads its table, which takes a tenth of a second

    try:
        exponent = Currency(code).exponent
    except ValueError:
        return None
    return int(exponent) if exponent is not None else None
