"""Steps from their inputs to the journal, with a person who is no screen."""

from pathlib import Path

import pytest

from isla_console.incident import commands
from isla_console.journal.local import FILE_NAME, LocalJournal
from isla_console.session.confirm import Confirmation
from isla_console.session.declare import Declaration, declare
from isla_console.session.run_step import FRESH_S
from isla_console.session.session import Session
from isla_console.settings.secret import MASK
from isla_console.steps import rollback
from tests.session.support import CANDIDATE, SERVING, open_console, vercel_api
from tests.support.frozen import NOW
from tests.support.runbook import shell
from tests.support.waiting import until
from tests.text.test_redact import AWKWARD, LOOKS

ROLLBACK = "redirect-rollback"


async def test_a_read_is_done_in_place(tmp_path: Path) -> None:
    steps = shell("hello", "echo hello there", more="        expect: {exit_code: 0}\n")
    async with open_console(tmp_path, steps) as console:
        await console.declare()
        run = await console.do("hello")
        assert run is not None
        assert run.outcome is not None
        assert (run.outcome.ending, run.outcome.met, run.outcome.output) == ("done", True, "hello there\n")
        (ran,) = console.timeline("ran")
        assert (ran.actor, ran.data["step"], ran.data["output"], ran.data["met"]) == (
            "ana",
            "hello",
            "hello there\n",
            True,
        )
        assert "reason" not in ran.data
        person = console.person
        assert (person.asked, person.confirmations, person.shown, person.said) == ([], [], [], [])
        assert person.drawn >= 2


async def test_what_came_of_a_step_is_journalled_though_it_cannot_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_console(tmp_path, shell("hello", "echo hello")) as console:
        await console.declare()

        def fail() -> None:
            raise ZeroDivisionError("a view")

        monkeypatch.setattr(console.person, "redraw", fail)
        await console.flow.do(console.session.step_services.step("hello"))
        await until(lambda: not console.session._followed)
        (ran,) = console.timeline("ran")
        assert ran.data["output"] == "hello\n"
        assert "ZeroDivisionError: a view" in console.session.faults.shown()[0]


async def test_a_fault_of_the_console_is_shown_without_secrets(tmp_path: Path) -> None:
    steps = shell("tell", 'echo "$KEY"')
    async with open_console(tmp_path, steps) as console:
        console.person.inputs = {"KEY": "correct horse"}
        await console.do("tell")
        console.session.complain(ValueError("no port: 'correct horse', sk_live_0123456789abcdef"))
        [said] = console.session.faults.shown()
        assert f"ValueError: no port: '{MASK}', {MASK}" in said


async def test_what_is_journalled_is_what_it_was_run_with(tmp_path: Path) -> None:
    """Another value may be typed while it runs: for the next step, not for this one."""
    steps = shell("greet", f'while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo "hello $WHO"')
    async with open_console(tmp_path, steps) as console:
        await console.declare()
        console.person.inputs = {"WHO": "ben"}
        services = console.session.step_services
        await console.flow.do(services.step("greet"))
        services.inputs.remember("WHO", "eva", "typed")
        (tmp_path / "go").touch()
        await console.ended()
        (ran,) = console.timeline("ran")
        assert (ran.data["inputs"], ran.data["output"]) == ({"WHO": "ben"}, "hello ben\n")


@pytest.mark.parametrize("what", ["another", "cancelled", "merged"])
async def test_a_result_belongs_to_the_incident_in_which_the_step_was_begun(
    tmp_path: Path, what: str
) -> None:
    """Whatever the console works on when it ends; a merged incident goes on in the other one."""
    steps = shell("greet", f'while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo "hello $WHO"')
    async with open_console(tmp_path, steps) as console:
        session = console.session
        state = session.state(NOW)
        assert state is not None
        assert await declare(session, Declaration("Another one", "P2"), state)
        other = session.incident_id
        await console.declare()
        first = session.incident
        assert first is not None
        console.person.inputs = {"WHO": "ben"}
        await console.flow.do(session.step_services.step("greet"))
        if what == "cancelled":
            await session.record(commands.cancel(first, "it was none", **session.stamp()))
        elif what == "merged":
            into = session.journal.incident(other)
            assert into is not None
            await session.record(commands.merge(first, into, **session.stamp()))
        if what != "cancelled":
            session.work_on(other)
            session.step_services  # noqa: B018 - what was typed in the first one is forgotten
        (tmp_path / "go").touch()
        await console.ended()
        found = [
            (incident.id, event.data["inputs"])
            for incident in session.journal.incidents
            for event in incident.timeline
            if event.kind == "ran"
        ]
        assert found == [(other if what == "merged" else first.id, {"WHO": "ben"})]


async def test_nothing_is_destroyed_once_the_incident_is_over(tmp_path: Path) -> None:
    """Another console may close it while the confirmation is open."""
    target = tmp_path / "precious"
    target.write_text("x")
    async with open_console(tmp_path, shell("remove", f"rm {target}", "destroy")) as console:
        await console.declare()
        session = console.session

        async def close_and_confirm(confirmation: Confirmation) -> str:
            assert session.incident is not None
            await session.record(commands.cancel(session.incident, "it was none", **session.stamp()))
            return "because"

        console.person.confirm = close_and_confirm  # type: ignore[method-assign]
        assert await console.do("remove") is None
        assert console.person.shown[0].startswith("outside an incident nothing is destroyed")
    assert target.exists()


async def test_without_an_incident_a_result_is_shown_and_not_journalled(tmp_path: Path) -> None:
    async with open_console(tmp_path, shell("hello", "echo hello")) as console:
        run = await console.do("hello")
        assert run is not None
        assert run.outcome is not None
        assert console.session.journal.incidents == []
        assert console.person.said == []


async def test_what_is_missing_is_asked_once(tmp_path: Path) -> None:
    async with open_console(tmp_path, shell("greet", 'echo "hello $WHO"; echo "$KEY"')) as console:
        await console.declare()
        console.person.inputs = {"WHO": "ben", "KEY": "hunter2hunter2"}
        for _ in range(2):
            run = await console.do("greet")
        assert console.person.asked == [("WHO", "KEY")]
        assert run is not None
        assert run.outcome is not None
        assert run.outcome.output.startswith("hello ben\n")
        assert [ran.data["inputs"] for ran in console.timeline("ran")] == [{"WHO": "ben"}] * 2


async def test_questions_that_are_left_run_nothing(tmp_path: Path) -> None:
    async with open_console(tmp_path, shell("greet", 'touch "$WHO"', "write")) as console:
        console.person.inputs = None
        assert await console.do("greet") is None
        assert console.person.asked == [("WHO",)]
        assert console.person.confirmations == []


@pytest.mark.parametrize("reason", ["because", "", None])
async def test_a_write_is_confirmed_or_left(tmp_path: Path, reason: str | None) -> None:
    target = tmp_path / "written"
    async with open_console(tmp_path, shell("note-down", f'echo "$WHO" > {target}', "write")) as console:
        await console.declare()
        console.person.inputs = {"WHO": "ben"}
        console.person.reason = reason
        run = await console.do("note-down")
        (asked,) = console.person.confirmations
        assert (asked.wanted, asked.effect) == ("ben", "write")
        assert (run is not None) is (reason is not None)
        assert target.exists() is (reason is not None)
        found = [ran.data.get("reason", "") for ran in console.timeline("ran")]
        assert found == ([] if reason is None else [reason])


class Unwritable(Session):
    """A session whose journal can be read and takes nothing more."""

    full = False

    @property
    def write_problem(self) -> str:
        return "the disk is full" if self.full else super().write_problem


async def test_nothing_is_destroyed_that_cannot_be_journalled(tmp_path: Path) -> None:
    """Not outside an incident, and not in one whose journal takes nothing; a read goes on."""
    target = tmp_path / "precious"
    target.write_text("x")
    steps = shell("remove", f"rm {target}", "write") + shell("look", f"cat {target}")
    async with open_console(tmp_path, steps, kind=Unwritable) as console:
        assert await console.do("remove") is None
        await console.declare()
        console.session.full = True  # type: ignore[attr-defined]
        assert await console.do("remove") is None
        assert await console.do("look") is not None
        first, second = console.person.shown
        assert first.startswith("outside an incident nothing is destroyed")
        assert second == "it could not be journalled: the disk is full"
        assert console.person.confirmations == []
    assert target.exists()


@pytest.mark.parametrize("secret", [secret for secret in AWKWARD if "\n" not in secret])
async def test_no_secret_reaches_the_journal(tmp_path: Path, secret: str) -> None:
    """Typed, printed to both outputs, given as the reason; and whatever looks like one."""
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(text for text, _ in LOOKS.values()))
    script = f'echo "a $KEY b"; echo "$KEY" >&2; cat {corpus}; touch {tmp_path}/x'
    async with open_console(tmp_path, shell("leak", script, "write")) as console:
        await console.declare()
        console.person.inputs = {"KEY": secret}
        console.person.reason = f"for {secret} alone"
        await console.do("leak")
        (ran,) = console.timeline("ran")
        assert MASK in ran.data["output"]
        assert ran.data["reason"] == f"for {MASK} alone"
        told = ran.to_json() + repr(console.person.confirmations)
    files = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert any(b"leak" in data for data in files)
    for one in (secret, *(secret for _, secret in LOOKS.values())):
        assert one not in told
        assert not [data for data in files if one.encode() in data], one


async def test_a_masked_output_is_not_journalled(tmp_path: Path) -> None:
    steps = shell("tell", "echo the-'ans'wer", more="        secret_output: true\n")
    async with open_console(tmp_path, steps) as console:
        await console.declare()
        run = await console.do("tell")
        assert run is not None
        assert run.outcome is not None
        assert run.outcome.output == "the-answer\n"
        assert [ran.data["output"] for ran in console.timeline("ran")] == ["(masked)"]


async def test_a_symptom_is_seen_once(tmp_path: Path) -> None:
    seen = '        seen: [{pattern: "HTTP 50[0-9]", symptom: redirect-reports}]\n'
    async with open_console(tmp_path, shell("look", "echo HTTP 503", more=seen)) as console:
        await console.declare()
        await console.do("look")
        await console.do("look")
        (symptom,) = console.timeline("symptom_seen")
        assert symptom.data == {
            "symptom": "redirect-down/redirect-reports",
            "by": "measured",
            "value": "by Step look",
        }


async def test_the_twin_runs_first_and_counts_as_now_for_a_while(tmp_path: Path) -> None:
    steps = shell("twin", "date +%N") + shell("deed", "touch x", "write", more="        preview: twin\n")
    async with open_console(tmp_path, steps) as console:
        console.person.reason = None
        runs = console.session.step_services.runner.runs
        await console.do("deed")
        first = runs["twin"]
        await console.do("deed")
        assert runs["twin"] is first
        console.moment.pass_by(seconds=FRESH_S)
        await console.do("deed")
        assert runs["twin"] is not first
        assert list(runs) == ["twin"], "what was left was not done"
        shown = [asked.twin for asked in console.person.confirmations]
        assert [one and (one.title, one.result) for one in shown] == [("Step twin", "exit 0")] * 3


async def test_a_step_under_way_is_not_begun_again(tmp_path: Path) -> None:
    async with open_console(tmp_path, shell("slow", "echo begun; sleep 60")) as console:
        await console.declare()
        services = console.session.step_services
        step = services.step("slow")
        await console.flow.do(step)
        run = services.runner.runs["slow"]
        await console.flow.do(step)
        assert services.runner.runs["slow"] is run
        assert console.person.said == ["It runs already: X stops it."]
        services.runner.stop("slow")
        await console.ended()
        (ran,) = console.timeline("ran")
        assert (ran.data["result"], ran.data["exit_code"]) == (
            "stopped",
            run.outcome and run.outcome.exit_code,
        )


async def test_what_runs_is_drawn_as_it_goes(tmp_path: Path) -> None:
    async with open_console(tmp_path, shell("slow", "sleep 60")) as console:
        await console.flow.do(console.session.step_services.step("slow"))
        before = console.person.drawn
        await until(lambda: console.person.drawn >= before + 2)
        assert [run.step.id for run in console.session.running_steps] == ["slow"]
        await console.session.stop_steps()
        await console.ended()
        assert console.session.running_steps == []


async def test_steps_that_have_a_page(tmp_path: Path) -> None:
    """A stream is looked at on its page; what changes the database is done on pages of its own."""
    async with open_console(
        tmp_path, shell("clock", "while :; do date; sleep 0.1; done", "stream")
    ) as console:
        await console.declare()
        services = console.session.step_services
        for id in ("clock", "clock", "db-vacuum", "db-end-session"):
            await console.flow.do(services.step(id))
        services.runner.stop("clock")
        await console.ended()
        assert console.person.pages == [
            ("streams", "clock"),
            ("streams", "clock"),
            ("sql", "db-vacuum"),
            ("sessions", "db-end-session"),
        ]
        assert list(services.runner.runs) == ["clock"]
        assert "waits for your commit" in console.person.said[0]
        assert "K on the session asks first" in console.person.said[1]


@pytest.mark.parametrize("result", ["nobody answers", " ", None])
async def test_a_persons_work_is_marked_done(tmp_path: Path, result: str | None) -> None:
    async with open_console(tmp_path) as console:
        await console.do("auth-quota")
        assert len(console.person.shown) == 1
        await console.declare()
        console.person.result = result
        await console.do("auth-quota")
        found = [event.data.get("result") for event in console.timeline("step_done")]
        assert found == ([] if result is None else [result.strip() or None])


async def test_a_picked_value_lets_its_step_run_first(tmp_path: Path) -> None:
    """And a change asks for it again, though it is known: what it was may have changed."""
    async with vercel_api() as api, open_console(tmp_path, environ=api.environ) as console:
        await console.declare()
        console.person.inputs = {"ROLLBACK_TO": "1"}
        console.person.reason = None
        for _ in range(2):
            assert await console.do(ROLLBACK) is None
        assert console.person.asked == [("ROLLBACK_TO",)] * 2
        assert [ran.data["step"] for ran in console.timeline("ran")] == ["redirect-rollback-candidates"]
        found = console.session.step_services.inputs.find("ROLLBACK_TO", console.session.clock.now())
        assert found is not None
        assert found.origin == "picked from redirect-rollback-candidates"
        assert found.shown == console.person.confirmations[0].wanted
        assert {method for _, method, _ in api.requests.asked} == {"GET"}


async def test_a_rollback_and_its_undo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is followed to its end; the first leaves its undo and what is to be done, the second nothing."""
    monkeypatch.setattr(rollback.follow, "__kwdefaults__", {"poll_s": 0.02, "patience_s": 10.0})
    async with vercel_api() as api, open_console(tmp_path, environ=api.environ) as console:
        await console.declare()
        services, incident = console.session.step_services, console.session.incident
        assert incident is not None
        console.person.inputs = {"ROLLBACK_TO": "0"}
        await console.do(ROLLBACK)
        assert api.deployments.serving == CANDIDATE
        assert services.undo[ROLLBACK].title == f"Undo: promote {SERVING}"
        assert services.progress[ROLLBACK].endswith("serves production; every probe was asked again")
        await console.do(f"{ROLLBACK}.undo")
        assert api.deployments.serving == SERVING
        assert services.undo == {}
        ran = [event.data for event in console.timeline("ran") if event.data["effect"] == "destroy"]
        assert [(one["step"], one["reason"], one["exit_code"]) for one in ran] == [
            (ROLLBACK, "because", 0),
            (f"{ROLLBACK}.undo", "because", 0),
        ]
        notes = [event.data["text"] for event in console.timeline("noted")]
        assert notes == [
            f"{CANDIDATE[:16]} serves production (Roll back production)",
            f"{SERVING[:16]} serves production (Undo: promote {SERVING})",
        ]
        actions = [event.data["text"] for event in console.timeline("action_added")]
        assert actions == [text for text, _ in rollback.follow_ups(CANDIDATE, SERVING)]


async def test_a_rollback_is_followed_though_it_cannot_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback.follow, "__kwdefaults__", {"poll_s": 0.02, "patience_s": 10.0})

    def fail() -> None:
        raise ZeroDivisionError("a view")

    async with vercel_api() as api, open_console(tmp_path, environ=api.environ) as console:
        await console.declare()
        monkeypatch.setattr(console.person, "redraw", fail)
        console.person.inputs = {"ROLLBACK_TO": "0"}
        await console.flow.do(console.session.step_services.step(ROLLBACK))
        await until(lambda: not console.session._followed)
        assert [event.data["text"] for event in console.timeline("noted")] == [
            f"{CANDIDATE[:16]} serves production (Roll back production)"
        ]
        assert list(console.session.step_services.undo) == [ROLLBACK]
        [said] = console.session.faults.shown()
        assert "ZeroDivisionError: a view" in said


async def test_a_console_that_ends_notes_that_it_did_not_see_a_rollback_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollback.follow, "__kwdefaults__", {"poll_s": 0.02, "patience_s": 600.0})
    monkeypatch.setattr("isla_console.session.session.FOLLOW_S", 0.2)
    async with vercel_api() as api, open_console(tmp_path, environ=api.environ) as console:
        api.deployments._rollback_s = 600.0
        await console.declare()
        console.person.inputs = {"ROLLBACK_TO": "0"}
        services = console.session.step_services
        await console.flow.do(services.step(ROLLBACK))
        await until(lambda: ROLLBACK in services.progress)
    with LocalJournal.open(tmp_path / "state" / FILE_NAME) as journal:
        events = [event for _, event in journal.since(0)]
    assert [event.kind for event in events[-3:]] == ["ran", "noted", "console_closed"]
    assert events[-2].data["text"] == (
        f"{CANDIDATE[:16]}: the console ended before production was seen to serve it; "
        f"before, {SERVING} served (Roll back production)"
    )
