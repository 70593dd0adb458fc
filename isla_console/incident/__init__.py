"""The incident: what was done about an outage, and the rules that say what is due next.

An incident is its events. `record/` says what an event is and folds events into the incident they make;
`rules/` derives from it what is due (clocks, escalation, updates, soak, alarms); `commands/` checks what a
person wants and answers with the events to write; `report/` writes post-mortem, handoff and JSON.

All of it is pure: nothing is read or written, and the clock is an argument (`now`, aware UTC). It imports
`isla_console.text` alone, and each of its rooms only those named before it. Begin with `record/facts.py`.
"""
