"""What must hold across the document: references, ids, thresholds, times.

The rules read the plain data, not the models, so that they find what is wrong beside what has a wrong
shape: a person gets every finding at once. Where a shape does not fit they pass over it.
"""

from collections.abc import Callable, Iterator

from isla_console.runbook.nodes import Node
from isla_console.runbook.rules import bounds, references, steps, texts
from isla_console.runbook.rules.document import Breach, Index

RULES: tuple[Callable[[Index], Iterator[Breach]], ...] = (
    *references.RULES,
    *steps.RULES,
    *bounds.RULES,
    *texts.RULES,
)


def all_breaches(root: Node) -> Iterator[Breach]:
    """Everything that breaks a rule, in no particular order."""
    index = Index(root)
    for rule in RULES:
        yield from rule(index)
