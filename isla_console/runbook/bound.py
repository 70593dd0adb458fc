"""A threshold as people write it, such as `< 50 ms`, `> 1 %` or `>= 10`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

Op = Literal["<", "<=", ">", ">="]

PATTERN = r"^(<=|>=|<|>)\s*(-?\d{1,15}(?:\.\d{1,9})?)(?:\s*([^\s\d][^\d\n]{0,11}))?$"
LONGEST = 40
"""The most characters of a bound."""
_PARSE = re.compile(PATTERN)
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Bound:
    """One side of the number line, with or without its bound, as written.

    `unit` is the unit written beside the number, "" if there is none.
    """

    op: Op
    value: float
    unit: str = ""

    @classmethod
    def parse(cls, text: object) -> Bound:
        """Read a comparison such as `> 200 ms`.

        Raises:
            ValueError: It is not a comparison with a number.
        """
        match = _PARSE.match(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError('a comparison with a number, such as "> 200 ms"')
        op, number, unit = match.groups()
        return cls(op, float(number), unit or "")  # type: ignore[arg-type]

    def holds(self, value: float) -> bool:
        """Return whether `value` lies on this side; NaN never does."""
        return _HOLDS[self.op](value, self.value)

    def can_hold(self, lowest: float, highest: float) -> bool:
        """Return whether it holds for any value from `lowest` to `highest`."""
        return self.holds(highest if self.upward else lowest)

    @property
    def upward(self) -> bool:
        """Whether larger values lie on this side, as for `>` and `>=`."""
        return self.op.startswith(">")

    def __str__(self) -> str:
        return f"{self.op} {self.value:g}" + (f" {self.unit}" if self.unit else "")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": PATTERN, "maxLength": LONGEST, "examples": ["< 50 ms", "> 1 %"]}
