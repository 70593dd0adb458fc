"""Actions: what a person did about the outage, as texts that scenarios match by shell patterns.

- `deployment:older`, `deployment:newest`: production serves an older or the newest build.
- `deployment:refused-current`, `deployment:refused-failed`: a rollback was refused, and why.
- `sessions:worker`: every session leaked by `worker` was ended.
- `pool:gotrue`: sessions of a pool were ended that were needed.
- `pile-up:root`: the session that all the others waited for was ended.
- `rebuilt:1`: yesterday's totals are complete again.
- `event:delivered`, `event:refused`: a webhook that had not arrived was sent again, and arrived or not.
- `step:<id>`: a step of the runbook was done, or ran with success, by the drill's journal.
- `done:<id>`: a person says that a step is done.
"""

from __future__ import annotations

from isla_console.incident.record.events import Event


def actions_of(event: Event) -> tuple[str, ...]:
    """Return the actions that a journalled event reports; none for a failure or without a step.

    `step:<id>` is for a step that was done or ran with success; `done:<id>` is added for one that a person
    says is done.
    """
    step = event.data.get("step")
    if not isinstance(step, str) or not step:
        return ()
    if event.kind == "step_done":
        return f"done:{step}", f"step:{step}"
    ran = event.kind == "ran" and event.data.get("exit_code") == 0 and event.data.get("met", True)
    queried = event.kind == "queried" and event.data.get("outcome") in {"ok", "committed"}
    return (f"step:{step}",) if ran or queried else ()
