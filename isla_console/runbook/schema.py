"""The JSON Schema of a runbook, for editors: `# yaml-language-server: $schema=…`."""

from __future__ import annotations

import ast
import inspect
from itertools import chain
from typing import Any

from isla_console.runbook import model, people, steps, watch
from isla_console.runbook.rules.steps import ALLOWS, NEEDS, RUNS


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12), JSON-ready; it cannot say what `rules/` checks."""
    result: dict[str, Any] = model.Runbook.model_json_schema()
    definitions = result["$defs"]
    del definitions["Input"]["properties"]["name"]
    for name, descriptions in _descriptions().items():
        target = result if name == "Runbook" else definitions.get(name, {})
        for field, description in descriptions.items():
            if field in target.get("properties", {}):
                target["properties"][field]["description"] = description
    definitions["Step"]["allOf"] = [_kind(kind) for kind in NEEDS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **result,
        "title": "isla-console runbook",
    }


def _kind(kind: str) -> dict[str, Any]:
    """Return what a step of a kind needs, and what it cannot have."""
    needs = [NEEDS[kind]] + (["effect"] if kind in RUNS else [])
    refused = sorted(key for key, kinds in ALLOWS.items() if kind not in kinds)
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"required": needs, "properties": dict.fromkeys(refused, False)},
    }


def _descriptions() -> dict[str, dict[str, str]]:
    """Return the sentence under each field of the models, by class and field."""
    found: dict[str, dict[str, str]] = {}
    for item in chain(
        *(ast.parse(inspect.getsource(module)).body for module in (model, people, steps, watch))
    ):
        if not isinstance(item, ast.ClassDef):
            continue
        fields = found.setdefault(item.name, {})
        for field, after in zip(item.body, item.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                fields[field.target.id] = str(after.value.value)
    return found
