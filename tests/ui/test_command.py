"""Incident command by keys: what is asked, what is journalled, what the screen then says."""

import json
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from isla_console.incident.report import report
from isla_console.incident.rules.escalation import Rung, ladder
from isla_console.ui.main.screen import MainScreen
from isla_console.ui.shell import Shell
from tests.support.frozen import CALM, OUTAGE, Moment, frozen_app
from tests.support.pilot import settle
from tests.support.screen import screen_text

DECLARE = ("d", "enter", "enter", "home", "enter", "f2")


@asynccontextmanager
async def incident(
    home: Path, moment: Moment | None = None, *, declared: bool = True
) -> AsyncIterator[tuple[Pilot[int], Shell]]:
    """An app in a declared P1 of issue 1."""
    app = frozen_app(home, OUTAGE, moment=moment)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        if declared:
            await press(pilot, *DECLARE)
            assert app.program.session.incident is not None
        yield pilot, app


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def type_text(pilot: Pilot[int], text: str) -> None:
    await pilot.press(*("space" if char == " " else char for char in text))
    await settle(pilot)


def kinds(app: Shell) -> list[str]:
    assert app.program.session.incident is not None
    return [event.kind for event in app.program.session.incident.timeline]


def rung(app: Shell, level: str) -> Rung:
    assert app.program.session.incident is not None
    return next(
        rung
        for rung in ladder(app.program.session.incident, app.program.session.clock.now())
        if rung.level == level
    )


async def test_three_questions_propose(tmp_path: Path) -> None:
    """An outage is P0, cosmetics are P3, about 30 % of users is P1: said with the rule, before declaring."""
    async with incident(tmp_path, declared=False) as (pilot, app):
        await press(pilot, "d", "home")
        assert "Proposed P0: Complete outage" in screen_text(app)
        await press(pilot, "end")
        assert "Proposed P3" in screen_text(app)
        await press(pilot, "enter", "down", "down", "down")
        assert "Proposed P1: exactly 30 % counts as P1" in screen_text(app)


async def test_declared_back_in_time(tmp_path: Path) -> None:
    async with incident(tmp_path, declared=False) as (pilot, app):
        await press(pilot, "d", "enter", "enter", "home", "enter", "enter", "enter", "enter")
        await type_text(pilot, "20m ago")
        await press(pilot, "enter")
        assert app.program.session.incident is not None
        assert (
            app.program.session.incident.declared_at - app.program.session.incident.impact_started_at
        ).total_seconds() == 1200
        await app.program.tick()
        assert "L2" in [due.level for due in app.program.session.incident.level_dues]


async def test_roles_offer_and_accept(tmp_path: Path) -> None:
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "R", "enter", "enter", "enter")
        assert app.program.session.incident is not None
        assert app.program.session.incident.commander == "ana"
        await press(pilot, "R", "enter", "down", "enter", "ctrl+u")
        await type_text(pilot, "ben")
        await press(pilot, "enter")
        assert app.program.session.incident.roles["commander"].offered_to == "ben"
        assert app.program.session.incident.commander == "ana"


async def test_hold_needs_a_reason_and_ends(tmp_path: Path) -> None:
    moment = Moment()
    async with incident(tmp_path, moment) as (pilot, app):
        await press(pilot, "H", "enter", "enter")
        assert "a reason is needed" in screen_text(app)
        await type_text(pilot, "vendor on the phone")
        await press(pilot, "enter")
        assert "hold_started" in kinds(app)
        await app.program.tick()
        assert "on hold 10:00" in screen_text(app)
        await press(pilot, "H", "enter")
        assert kinds(app)[-1] == "hold_started", "H over a hold asks, and leaves it by default"
        await press(pilot, "H", "down", "enter")
        assert kinds(app)[-1] == "hold_ended"


async def test_acknowledging_for_who_was_called_silences_them(tmp_path: Path) -> None:
    """`k` names who is on it, and whose word that is: they are nagged no more, the others still are."""
    moment = Moment()
    async with incident(tmp_path, moment) as (pilot, app):
        moment.pass_by(minutes=16)
        await app.program.tick()
        await settle(pilot)
        assert "L2 due 14:24Z, 4 min ago: call Platform lead, Senior engineer" in screen_text(app)
        await press(pilot, "k", "enter", "f2")
        assert "choose what happened" in screen_text(app), "nothing is said by a default"
        await press(pilot, "down", "down", "enter")
        await type_text(pilot, "ben")
        await press(pilot, "f2")
        assert "how ben said so is needed" in screen_text(app)
        await press(pilot, "down", "f2")
        assert app.program.session.incident is not None
        assert rung(app, "L2").acknowledged_by == ("ben",)
        assert rung(app, "L2").waiting_for == ("Senior engineer",)
        await app.program.tick()
        await settle(pilot)
        assert "4 min ago: call Senior engineer" in screen_text(app)
        assert "ben on it" in screen_text(app)

        await press(pilot, "k", "enter", "end", "f2")
        assert "by which way is needed" in screen_text(app)
        await press(pilot, "down", "f2")
        called = app.program.session.incident.timeline[-1]
        assert called.data == {
            "level": "L2",
            "target": "Senior engineer",
            "via": "phone",
            "outcome": "no_answer",
        }
        assert rung(app, "L2").waiting_for == ("Senior engineer",), "a call silences nobody"
        assert "no answer 14:28" in screen_text(app)
        await press(pilot, "k", "enter", "down", "f2")
        assert rung(app, "L2").nag == "none"
        assert rung(app, "L2").acknowledged_by == ("ben", "ana")


async def test_alarm_rings_once_and_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two consoles on one journal: each rings once, the journal says it once."""
    moment = Moment()
    async with incident(tmp_path, moment) as (_, first):
        second = frozen_app(tmp_path, OUTAGE, moment=moment)
        rung: dict[str, list[str]] = {"first": [], "second": []}
        monkeypatch.setattr(first.program.console.terminal, "alarm", rung["first"].append)
        monkeypatch.setattr(second.program.console.terminal, "alarm", rung["second"].append)
        async with second.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            moment.pass_by(minutes=15)
            for app in (first, second, first, second):
                await app.program.tick()
                await app.program.look()
            dues = [kind for kind in kinds(first) if kind == "level_due"]
            assert dues == ["level_due"]
            for name in rung:
                assert len([text for text in rung[name] if text.startswith("L2 due")]) == 1, rung


async def test_update_is_blocked_filled_and_sent(tmp_path: Path) -> None:
    """What is in brackets blocks; the impact fills it; sending restarts the clock."""
    moment = Moment()
    async with incident(tmp_path, moment) as (pilot, app):
        await press(pilot, "c", "S", "f2")
        assert "update_sent" not in kinds(app)
        assert "still to fill in" in screen_text(app)
        assert "[description of impact]" in screen_text(app)
        await press(pilot, "escape", "i")
        await type_text(pilot, "links answer slowly")
        await press(pilot, "f2")
        assert "Nothing is left to fill in" in screen_text(app)
        await press(pilot, "S", "enter")
        assert "update_sent" not in kinds(app), "no default says by which way it went out"
        await press(pilot, "down", "enter")
        assert kinds(app)[-1] == "update_sent"
        incident_now = app.program.session.incident
        assert incident_now is not None
        assert "links answer slowly" in incident_now.updates[-1].text
        assert "14:42 UTC" in incident_now.updates[-1].text
        moment.pass_by(minutes=1)
        await app.program.tick()
        assert "due 14:42Z (in 29:00)" in screen_text(app)


async def test_edited_text_lasts(tmp_path: Path) -> None:
    """What was typed is a draft in the journal, and is there after a restart."""
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "c", "enter", "ctrl+end")
        await type_text(pilot, " We are on it.")
        await press(pilot, "escape")
        assert kinds(app)[-1] == "update_drafted"
    again = frozen_app(tmp_path, OUTAGE)
    async with again.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        assert "We are on it." in screen_text(again)


async def test_copy_says_what_happened(tmp_path: Path) -> None:
    """Without a terminal the text goes into a file, which is named."""
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "c", "y")
        assert kinds(app)[-1] == "update_copied"
        [saved] = list((tmp_path / "state").glob("copied-*.txt"))
        assert "currently investigating" in saved.read_text()
        assert saved.stat().st_mode & 0o077 == 0


async def test_resolve_wants_the_soak_or_a_reason(tmp_path: Path) -> None:
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "m", "end", "up", "up")
        assert app.program.session.incident is not None
        # From declared, the plain next states come first; resolved is further down.
        await press(pilot, "home", "down", "down", "down", "down", "enter", "enter")
        assert app.program.session.incident.state == "declared"
        assert app.screen.focused is not None
        assert app.screen.focused.id == "field-reason", "refused, it stays open at what is missing"
        await type_text(pilot, "rolled back and watched")
        await press(pilot, "enter")
        assert app.program.session.incident.state == "resolved"
        assert app.program.session.incident.updates[-1].stage == "drafted"


async def test_checklist_not_applicable_and_evidence(tmp_path: Path) -> None:
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "tab", "down", "minus")
        await type_text(pilot, "no status page for this")
        await press(pilot, "enter")
        assert app.program.session.incident is not None
        ticks = list(app.program.session.incident.checklist.values())
        assert [tick.state for tick in ticks[:3]] == ["open", "na", "open"]
        assert ticks[1].reason == "no status page for this"


async def test_guided_outage(tmp_path: Path) -> None:
    """The steps of the full outage response do things."""
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "7", "home", "enter")
        assert app.program.session.incident is not None
        assert app.program.session.incident.steps["outage-acknowledge"].state == "done"
        assert "acknowledged" in kinds(app)
        await press(pilot, "down", "enter")
        assert "outage-channel" not in app.program.session.incident.steps, "copying a name creates nothing"
        await press(pilot, "space")
        assert app.program.session.incident.steps["outage-channel"].state == "done"
        await press(pilot, "down", "enter", "enter", "enter", "enter")
        assert app.program.session.incident.steps["outage-roles"].result == "commander ana"


async def test_what_now_and_handoff(tmp_path: Path) -> None:
    moment = Moment()
    async with incident(tmp_path, moment) as (pilot, app):
        moment.pass_by(minutes=16)
        await app.program.tick()
        await press(pilot, "w")
        assert "L2" in screen_text(app)
        await press(pilot, "escape", "U")
        assert "Redirect Service Down" in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, MainScreen)


async def test_timeline_corrects_and_filters(tmp_path: Path) -> None:
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "n")
        await type_text(pilot, "rollbck began")
        await press(pilot, "f2", "t", "home", "E", "ctrl+u")
        await type_text(pilot, "rollback began")
        await press(pilot, "f2")
        text = screen_text(app)
        assert "rollback began" in text
        assert "corrected" in text
        await press(pilot, "F", "F")
        assert "Only ladder" in screen_text(app)


async def test_note_about_earlier_is_marked(tmp_path: Path) -> None:
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "n")
        await type_text(pilot, "first complaint")
        await press(pilot, "enter", "enter")
        await type_text(pilot, "12m ago")
        await press(pilot, "enter", "t")
        assert "written late" in screen_text(app)


async def test_postmortem_page_is_the_report(tmp_path: Path) -> None:
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "p")
        assert app.program.session.incident is not None
        first = report(app.program.session.incident).splitlines()[0]
        assert first in screen_text(app)
        await press(pilot, "O", "enter", "enter")
        assert app.program.session.incident.postmortem_owner == "ana"
        assert "owner ana" in screen_text(app)


async def test_full_disk_is_said_and_caught_up(tmp_path: Path) -> None:
    """A file-size limit stands for the full disk: a red banner, nothing shown as saved, then all of it is."""
    async with incident(tmp_path) as (pilot, app):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
        try:
            await press(pilot, "n")
            await type_text(pilot, "kept")
            await press(pilot, "f2")
            await app.program.tick()
            assert "noted" not in kinds(app)
            assert "NOT SAVED" in screen_text(app)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await app.program.look()
        await app.program.tick()
        await settle(pilot)
        assert kinds(app).count("noted") == 1
        assert "NOT SAVED" not in screen_text(app)


async def test_edited_runbook_is_offered(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    shipped = (Path(__file__).parents[2] / "runbook.yaml").read_text()
    mine.write_text(shipped)
    app = frozen_app(tmp_path, CALM, environ={"ISLA_RUNBOOK": str(mine)})
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        mine.write_text(shipped.replace("title: Full Outage Response", "title: Full Outage Answer"))
        await app.program.notice_edits()
        app.program.console.refresh_state()
        await settle(pilot)
        assert "L: read it again" in screen_text(app)
        await press(pilot, "L", "7")
        assert "Full Outage Answer" in screen_text(app)
        mine.write_text("version: 2")
        await press(pilot, "L")
        assert "was not taken" in screen_text(app)
        await press(pilot, "escape", "7")
        assert "Full Outage Answer" in screen_text(app)


async def test_clock_jump_is_journalled(tmp_path: Path) -> None:
    """The wall clock moves an hour: journalled, and the incident clock does not move."""
    moment = Moment()
    async with incident(tmp_path, moment) as (_, app):
        wall = app.program.session.clock._wall
        app.program.session.clock._wall = lambda: wall().replace(hour=15)
        await app.program.tick()
        assert app.program.session.incident is not None
        [jump] = [event for event in app.program.session.incident.timeline if event.kind == "link_changed"]
        assert jump.data["name"] == "clock"
        assert json.loads(jump.to_json())["data"]["value"] == 3600
        assert "T+00:03:00" in screen_text(app)


async def test_a_low_sheet_keeps_no_line_for_what_it_has_not_to_say(tmp_path: Path) -> None:
    """On 24 rows each line counts: a complaint's comes with the complaint."""
    app = frozen_app(tmp_path, OUTAGE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, *DECLARE, "v")
        problem = app.screen.query_one("#problem")
        assert problem.size.height == 0
        await press(pilot, "f2")
        assert problem.size.height == 1
        assert "a reason is needed" in screen_text(app)


async def test_late_alarms_are_read_in_full_on_a_narrow_screen(tmp_path: Path) -> None:
    """Whom to call stands at the end of the banner: on 80 columns it takes another line, not a cut."""
    moment = Moment()
    app = frozen_app(tmp_path, OUTAGE, moment=moment)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, *DECLARE)
        moment.pass_by(minutes=32)
        await app.program.tick()
        await settle(pilot)
        banner = " ".join(screen_text(app).split("Redirect 1240")[0].split())
        assert "call Platform lead, Senior engineer" in banner
        assert "call CTO, External support (Vercel/Supabase)" in banner
        assert "public update due" in banner


async def test_in_a_quick_drill_the_path_keeps_its_columns(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, environ={"ISLA_DRILL": "redirect-down", "ISLA_DRILL_SPEED": "20"})
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "o")
        assert "L2  15-30 min (÷ 20) Platform lead" in screen_text(app)


async def test_an_action_item_is_added_and_said_to_be_done(tmp_path: Path) -> None:
    async with incident(tmp_path) as (pilot, app):
        await press(pilot, "A", "f2")
        assert "what is to be done is needed" in screen_text(app)
        await type_text(pilot, "Alert on 404s")
        await press(pilot, "f2", "A", "down")
        assert "▸ done: Alert on 404s" in screen_text(app)
        await press(pilot, "f2")
        assert app.program.session.incident is not None
        (item,) = app.program.session.incident.actions.values()
        assert item.done_at is not None
        await press(pilot, "A")
        assert "done:" not in screen_text(app)


async def test_the_checklist_is_reached_to_its_end_on_a_low_screen(tmp_path: Path) -> None:
    """Alarms above, acknowledgements in the ladder: the cursor still never goes below the screen."""
    moment = Moment()
    app = frozen_app(tmp_path, OUTAGE, moment=moment)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, *DECLARE)
        moment.pass_by(minutes=32)
        await app.program.tick()
        await press(pilot, "k", "enter", "down", "f2", "right_square_bracket", "end")
        assert "Runbook updated with learnings" in screen_text(app)
        await press(pilot, "home")
        assert "Incident resolved and verified" in screen_text(app)
