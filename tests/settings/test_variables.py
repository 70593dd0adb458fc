"""The table of variables: complete, and the source of both lists."""

import re
from pathlib import Path

import yaml

from isla_console.resources import resource
from isla_console.settings.variables import INTERNAL, VARIABLES, env_example, readme_table

ROOT = Path(__file__).parents[2]


def test_each_variable_is_listed_once() -> None:
    names = [variable.name for variable in VARIABLES]
    assert len(names) == len(set(names))
    groups = [variable.group for variable in VARIABLES]
    assert sorted(set(groups), key=groups.index) == [
        group for index, group in enumerate(groups) if index == 0 or groups[index - 1] != group
    ]
    assert all(variable.help.endswith(".") or variable.help.endswith("verified.") for variable in VARIABLES)


def test_every_input_of_the_shipped_runbook_is_listed() -> None:
    declared = yaml.safe_load(resource("runbook.yaml").read_text())["inputs"]
    listed = {variable.name: variable for variable in VARIABLES}
    for name, fields in declared.items():
        if env := fields.get("env"):
            assert env in listed, name
            assert listed[env].secret == bool(fields.get("secret")), name


def test_every_variable_named_in_the_code_is_listed() -> None:
    listed = {variable.name for variable in VARIABLES} | INTERNAL
    code = "".join(path.read_text() for path in (ROOT / "isla_console").rglob("*.py"))
    assert set(re.findall(r"\bISLA_[A-Z_]+[A-Z]\b", code)) - listed == set()


def test_env_example_is_generated() -> None:
    assert (ROOT / ".env.example").read_text() == env_example()
    assert re.findall(r"^#([A-Z_]+)=", env_example(), re.MULTILINE) == [v.name for v in VARIABLES]


def test_the_readme_has_the_table() -> None:
    assert readme_table() in (ROOT / "README.md").read_text()
