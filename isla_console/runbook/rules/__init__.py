"""What must hold across the document: references, ids, thresholds, times.

The rules read the plain data, not the models, so that they still find what is wrong next to what has the
wrong shape: a person gets every finding at once. They pass over what has the wrong shape themselves.

A rule is a function from the `Index` to breaches, and its docstring says what holds when it finds none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from isla_console.runbook.nodes import Node
from isla_console.runbook.rules import bounds, references, safety, steps, texts
from isla_console.runbook.rules.document import Breach, Index

RULES: tuple[Callable[[Index], Iterator[Breach]], ...] = (
    *references.RULES,
    *steps.RULES,
    *bounds.RULES,
    *safety.RULES,
    *texts.RULES,
)


def all_breaches(root: Node) -> Iterator[Breach]:
    """Yield everything that breaks a rule, in no particular order."""
    index = Index(root)
    for rule in RULES:
        yield from rule(index)
