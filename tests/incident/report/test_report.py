from __future__ import annotations

import random
from dataclasses import replace

from markdown_it import MarkdownIt

from isla_console.incident import commands
from isla_console.incident.record.events import Event, event
from isla_console.incident.record.state import fold
from isla_console.incident.report import report
from isla_console.text.markdown import fenced, inline, table
from tests.incident.story import ANA, Console, Story, at


def _ran(story: Story, clock: str, **data: object) -> None:
    given = {
        "step": "list-deployments",
        "command": "GET deployments",
        "effect": "read",
        "exit_code": 0,
        "duration_ms": 120,
        "output": "3 rows",
        "truncated": False,
        **data,
    }
    story.events.append(event("ran", given, incident=story.incident.id, author=ANA, now=at(clock)))


def _whole() -> Story:
    """An outage from the first alert to a published post-mortem."""
    story = Story("P1", issue="redirect-down", metrics={"redirect p95": ("alert", "1240 ms")})
    story.do(commands.accept_role, "commander", "ana", now=at("14:01"))
    story.do(commands.adjust_start, at("13:51"), "first complaint", now=at("14:02"))
    story.do(commands.change_impact, "Links answer 404 | or time out", now=at("14:02"))
    story.do(commands.see_symptom, "latency-above-1s", now=at("14:03"), by="measured", value="1240 ms")
    story.do(commands.send_update, "public", "We know. Next update by 14:33 UTC.", now=at("14:04"), via="web")
    _ran(story, "14:05", output="id\n```\n# not a heading\n\x1b[2Jdpl_8xK2\n", truncated=True)
    _ran(story, "14:06", step="function-logs", exit_code=1, output="")
    console = Console(story, at("14:06"))
    console.tick(at("14:06:01"))
    story.do(commands.acknowledge, "L2", "ana", now=at("14:08"))
    story.do(commands.decide, "roll back to dpl_5pQ9", now=at("14:10"))
    story.do(commands.note, "saw it on the bus", now=at("14:11"), at=at("13:58"))
    story.do(commands.change_state, "mitigating", now=at("14:12"))
    _ran(story, "14:13", step="rollback", effect="destroy", command="POST rollback", output="ok")
    story.measure("redirect p95", "alert", "ok", "42 ms", at("14:15"))
    story.do(commands.change_state, "monitoring", now=at("14:16"))
    story.do(commands.mark_step, "warm-cache", "skipped", now=at("14:17"), reason="no such cache")
    story.do(commands.change_severity, "P2", now=at("14:20"), reason="nearly over")
    story.do(commands.send_update, "public", "Fixed, we watch.", now=at("14:40"))
    story.do(commands.resolve, now=at("14:41"))
    story.do(commands.tick, "resolved", now=at("14:42"), evidence="soak green")
    story.do(commands.not_applicable, "status-page", "never said", now=at("14:42"))
    story.do(commands.add_action, "Alert on 404s", "detect", now=at("14:43"), owner="ben", due="2026-12-01")
    story.do(commands.correct, story.events[-1].id, {"text": "Alert on 404 and 5xx"}, now=at("14:44"))
    return story


def test_the_report_tells_the_whole_incident() -> None:
    text = report(_whole().incident)
    for part in (
        "# Post-mortem: Redirects down",
        "| P1 | 14:00:00Z | 14:20:00Z | 20 min | ana | – |",
        "| P2 | 14:20:00Z | 14:41:00Z | 21 min | ana | nearly over |",
        "What users experienced: Links answer 404 \\| or time out",
        "Impact start moved to 13:51:00Z at 14:02:00Z: first complaint",
        "| First alert: redirect p95 | 14:00:00Z | 9 min |",
        "- 13:58:00Z ana noted: saw it on the bus _(written down 14:11:00Z)_",
        "- 14:43:00Z ana added an action item: Alert on 404 and 5xx _(corrected 14:44:00Z by ana from "
        "~~14:43:00Z ana added an action item: Alert on 404s~~)_",
        "  ␛[2Jdpl_8xK2",
        "| redirect p95 | unknown | 42 ms to 1240 ms |",
        "- 14:10:00Z decided by ana: roll back to dpl_5pQ9",
        "exit 0 in 120 ms **(the last before it was mitigated)**",
        "| L1 | on-call | engaged | 14:00:00Z | by the clock | nobody was called or said they are on it |",
        "| L2 | ana | engaged | 14:06:00Z | by the clock | ana on it 14:08:00Z (after 2 min) |",
        "| L2 | ben | engaged | 14:06:00Z | by the clock | nobody was called or said they are on it |",
        "| 14:04:00Z | public | ana | web | 14:07:00Z | on time |",
        "| 14:40:00Z | public | ana | – | 14:17:00Z | 23 min late |",
        "- [x] Incident resolved and verified · done 14:42:00Z by ana: soak green",
        "- [ ] Metrics and monitoring verified normal\n",
        "| Alert on 404 and 5xx | detect | ben | 2026-12-01 | open |",
        "- Step warm-cache was skipped: no such cache",
        "- function-logs failed (exit 1): does it still work?",
        "_For a person to write:_",
        "- [ ] Checklist: Metrics and monitoring verified normal.",
    ):
        assert part in text, part
    assert text.endswith("\n")
    assert "\x1b" not in text


def test_the_same_journal_gives_the_same_bytes() -> None:
    story = _whole()
    shuffled = list(story.events)
    random.Random(7).shuffle(shuffled)
    again = fold(shuffled + shuffled[:5])
    assert again is not None
    assert report(again).encode() == report(story.incident).encode()


def _headings(text: str) -> list[str]:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]


NASTY = (
    "# h\n\n## h2\n```\n~~~\n</td><script>alert(1)</script> | a | b\n- [ ] x\n> q\r\n"
    "![i](http://x) <!-- [y]: z --> \x1b]0;t\x07 \u202e *b* _i_ `c` $m$ &amp; \\| ````"
)


def test_text_from_outside_cannot_break_the_document() -> None:
    plain = _whole()
    wanted = _headings(report(plain.incident))
    story = _whole()
    nasty: list[Event] = []
    for written in story.events:
        data = {
            name: NASTY
            if name in ("title", "impact", "text", "reason", "evidence", "output", "command", "via", "value")
            else value
            for name, value in written.data.items()
        }
        nasty.append(replace(written, data=data, actor="a|b`c" + "*" * 3, host="h"))
    incident = fold(nasty)
    assert incident is not None
    text = report(incident)
    found = _headings(text)
    assert found[1:] == wanted[1:]
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<script" not in html
    assert "<!--" not in html
    assert "<img" not in html
    columns = {line.count(" | ") for line in text.splitlines() if line.startswith(("| P1", "| P2"))}
    assert columns == {5}
    assert all(line.isprintable() for line in text.splitlines())


def test_the_pieces() -> None:
    assert inline("dpl_8xK2 costs 5 % of *all*") == "dpl_8xK2 costs 5 % of \\*all\\*"
    assert fenced("a\n````b", "  ")[0] == "  `````text"
    assert table(("a",), [("",)])[-1] == "| – |"


def test_an_incident_of_one_entry_has_a_report() -> None:
    text = report(Story().incident)
    assert "No metric changed its state." in text
    assert "None was sent." in text
    assert "_Made from 1 journal entr" in text
