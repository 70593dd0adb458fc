"""One console at work, without a screen: everything that a person can do, as classes that tests can drive.

`session` joins runbook, journal, monitor and incident; `state` is all that a screen draws, at one moment;
`parts` are the protocols of journal and clock, so that `replay` and tests put in their own. The use cases are
a module each: `declare`, `change_state`, `run_step` (with `questions`, `confirm`, `promotion` and
`step_journal`), those of the SQL page (`sql_*`), `server_sessions`, `compare`, `reconcile`. They ask a person
through a protocol.

Imports everything below it, and neither `ui` nor `headless`. Begin with `session`, then `state`.
"""
