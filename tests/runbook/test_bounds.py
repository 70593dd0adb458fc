"""Every number, text, list and mapping of a runbook has its bounds, wherever it stands."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from isla_console.resources import resource
from isla_console.runbook.findings import where
from isla_console.runbook.load import RunbookError, load_text
from isla_console.runbook.model import Runbook
from isla_console.runbook.schema import schema

SHIPPED = yaml.load(resource("runbook.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
MINIMAL = yaml.load((Path(__file__).parent / "minimal.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)

MAY_BE_EMPTY = {
    *(
        "severities",
        "issues",
        "levels",
        "targets",
        "source",
        "params",
        "probes",
        "database_checks",
        "vendors",
    ),
    *("health_checks", "metrics", "procedures", "templates", "status", "seen", "symptoms", "diagnosis"),
    *("resolutions", "follow_up", "see_also", "signals", "downstream_of", "steps", "literal", "times"),
}
"""Lists whose emptiness takes nothing away, by their key. Where one of the same key must not be empty, a test
below says so."""


def fields(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every schema in the schema, with its path."""
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield path, node
        for key, value in node.items():
            yield from fields(value, (*path, str(key)))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from fields(value, (*path, str(index)))


FIELDS = list(fields(schema()))


def test_every_number_has_a_least_and_a_greatest_value() -> None:
    numbers = [
        (path, one) for path, one in FIELDS if one["type"] in {"number", "integer"} and "const" not in one
    ]
    assert len(numbers) > 25
    for path, one in numbers:
        assert {"minimum", "maximum"} <= set(one), path
        assert one["minimum"] < one["maximum"] < 1e16, path


def test_every_text_list_and_mapping_has_a_length() -> None:
    for path, one in FIELDS:
        if one["type"] == "string":
            assert {"maxLength", "enum", "const", "format"} & set(one), path
        elif one["type"] == "array":
            assert "maxItems" in one, path
            assert one.get("minItems") or MAY_BE_EMPTY & set(path), path
        elif one["type"] == "object" and one.get("additionalProperties", False) is not False:
            assert "maxProperties" in one, path


def places(data: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value in a document, with its path."""
    if path:
        yield path, data
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from places(value, (*path, index))


def put(data: Any, path: tuple[str | int, ...], value: object) -> Any:
    """The document with another value at a path."""
    whole = copy.deepcopy(data)
    inner = whole
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return whole


def refused(document: Any) -> list[str]:
    """The places of the errors that loading finds."""
    try:
        load_text(yaml.dump(document, sort_keys=False, allow_unicode=True, Dumper=yaml.CSafeDumper))
    except RunbookError as error:
        return [finding.where for finding in error.findings if finding.severity == "error"]
    return []


NUMBERS = [
    path
    for path, value in places(SHIPPED)
    if isinstance(value, int | float) and not isinstance(value, bool) and path != ("version",)
]


SHARES = ("affected_from", "affected_below")
"""A share of the users may be as small as it likes."""
NOTHING_OR_A_MINUTE = ("from_min", "to_min", "soak_min")


def name(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path))


@pytest.mark.parametrize(
    "path", sorted({path[-1:] if isinstance(path[-1], str) else path for path in NUMBERS}, key=str), ids=name
)
def test_no_number_of_the_shipped_runbook_can_be_absurd(path: tuple[str | int, ...]) -> None:
    """Each key's number once: far too great, far too small, and no number at all."""
    place = next(one for one in NUMBERS if one[-len(path) :] == path)
    for absurd in (1e12, -1e12, 1e300, 1e-300, True, "many", [], {}):
        if absurd == 1e-300 and place[-1] in SHARES:
            continue
        if absurd == 1e-300 and (place[-1] in NOTHING_OR_A_MINUTE or "ladder" in place):
            assert where(place) in refused(put(SHIPPED, place, absurd))
            continue
        with pytest.raises(ValidationError):
            Runbook.model_validate(put(SHIPPED, place, absurd))


@pytest.mark.parametrize("absurd", [".nan", ".inf", "1e999", "-1e999"])
def test_no_number_can_be_endless(absurd: str) -> None:
    text = (Path(__file__).parent / "minimal.yaml").read_text("utf-8")
    for number in ("every_s: 3", "window_s: 60", "soak_min: 15", "[5]", "L1: 0"):
        assert number in text
        key, _, _ = number.rpartition(" ")
        other = f"[{absurd}]" if number == "[5]" else f"{key} {absurd}"
        with pytest.raises(RunbookError):
            load_text(text.replace(number, other, 1))


@pytest.mark.parametrize(
    "path",
    [
        ("contacts",),
        ("severities",),
        ("severities", 0, "rule"),
        ("checklist",),
        ("link_check", "targets"),
        ("health_checks", 0, "expect_status"),
        ("procedures", 0, "steps"),
        ("escalation", "levels"),
        ("escalation", "levels", 1, "targets"),
        ("escalation", "nag_min"),
        ("escalation", "by_severity"),
        ("escalation", "by_severity", "P0", "ladder"),
    ],
    ids=name,
)
def test_what_must_not_be_empty(path: tuple[str | int, ...]) -> None:
    inner = SHIPPED
    for part in path:
        inner = inner[part]
    assert any(found.startswith(str(path[0])) for found in refused(put(SHIPPED, path, type(inner)())))


def test_soak_of_nothing_and_a_first_level_at_once_are_right_where_they_stand() -> None:
    assert SHIPPED["escalation"]["by_severity"]["P3"]["soak_min"] == 0
    assert SHIPPED["escalation"]["levels"][0]["from_min"] == 0
    assert refused(SHIPPED) == []
    for severity in ("P0", "P1", "P2"):
        place = ("escalation", "by_severity", severity, "soak_min")
        assert refused(put(SHIPPED, place, 0)) == [name(place)]


def test_no_metric_of_the_shipped_runbook_can_have_its_bounds_swapped() -> None:
    metrics = SHIPPED["metrics"]
    assert len(metrics) == 6
    swapped = [one | {"normal": one["alert"], "alert": one["normal"]} for one in metrics]
    every = {f"metrics[{index}].normal" for index in range(6)}
    assert every <= set(refused(SHIPPED | {"metrics": swapped}))
    impossible = [one | {"normal": "< 0", "better": "lower", "alert": "> 1"} for one in metrics]
    assert every <= set(refused(SHIPPED | {"metrics": impossible}))
    unsaid = [{key: value for key, value in one.items() if key != "better"} for one in metrics]
    assert {f"metrics[{index}].better" for index in range(6)} <= set(refused(SHIPPED | {"metrics": unsaid}))


STEPS = [
    (path, value)
    for path, value in places(SHIPPED)
    if isinstance(value, dict) and "kind" in value and "title" in value
]


def changed(changes: dict[tuple[str | int, ...], Any]) -> list[str]:
    """The places of the errors after several changes."""
    whole = SHIPPED
    for path, value in changes.items():
        whole = put(whole, path, value)
    return refused(whole)


@pytest.mark.parametrize("key", ["blocked", "secret_output"])
def test_no_step_of_the_shipped_runbook_can_lose_what_protects_from_it(key: str) -> None:
    gone = {key, "instead"} if key == "blocked" else {key}
    bare = {
        path: {name: value for name, value in step.items() if name not in gone}
        for path, step in STEPS
        if key in step
    }
    assert bare
    assert {f"{where(path)}.run" for path in bare} <= set(changed(bare))


def test_no_step_of_the_shipped_runbook_can_be_declared_to_do_less() -> None:
    # What a person does by hand has no text that a machine could judge.
    ours = [(path, step) for path, step in STEPS if step["kind"] != "manual"]
    harmful = [path for path, step in ours if step.get("effect") in {"write", "destroy"}]
    assert len(harmful) > 12
    found = set(changed({(*path, "effect"): "read" for path in harmful}))
    assert {f"{where(path)}.effect" for path in harmful} - found == set()


def test_schema_refuses_the_absurd_too() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert list(validator.iter_errors(put(SHIPPED, ("health_checks", 0, "every_s"), 1e-9)))
    assert list(validator.iter_errors(put(SHIPPED, ("escalation", "nag_min"), [])))
    assert not list(validator.iter_errors(MINIMAL))
