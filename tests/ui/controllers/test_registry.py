"""Every command has one controller method, and every controller method a command; every act has a case."""

import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from isla_console.ui.commands import COMMANDS, LOOKING, REPLAY_KEYS, REPLAY_ROWS
from isla_console.ui.messages import DraftAct, SessionsAct, SqlAct
from isla_console.ui.pages.communication import CommunicationPage
from isla_console.ui.pages.sessions import SessionsPage
from isla_console.ui.pages.sql import SqlPage
from tests.support.frozen import frozen_app


def test_every_command_has_exactly_one_method(tmp_path: Path) -> None:
    program = frozen_app(tmp_path).program
    carried_out = Counter(id for controller in program.controllers for id in controller.commands)
    assert carried_out == Counter(command.id for command in COMMANDS)


def test_every_kind_of_row_has_at_most_one_method(tmp_path: Path) -> None:
    program = frozen_app(tmp_path).program
    kinds = Counter(kind for controller in program.controllers for kind in controller.rows)
    assert set(kinds.values()) == {1}
    assert kinds.keys() >= REPLAY_ROWS


def test_what_a_replay_may_do_is_in_the_registry() -> None:
    ids = {command.id for command in COMMANDS}
    assert ids >= LOOKING
    assert set(REPLAY_KEYS.values()) <= ids


@pytest.mark.parametrize(
    ("page", "acts"), [(SqlPage, SqlAct), (SessionsPage, SessionsAct), (CommunicationPage, DraftAct)]
)
def test_every_key_of_a_page_asks_for_a_known_act(page: type, acts: object) -> None:
    """A binding is text, which no type checker reads."""
    actions = [binding if isinstance(binding, str) else binding.action for binding in page.BINDINGS]
    asked = {match[1] for action in actions if (match := re.fullmatch(r"ask\('(\w+)'\)", action))}
    assert asked
    assert asked <= set(get_args(acts))
