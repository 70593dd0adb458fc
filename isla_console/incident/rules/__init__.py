"""What follows from an incident at a given time: what is due, to whom, and what should ring.

`clocks` counts the two clocks; `escalation`, `cadence`, `soak`, `quiet` and `postmortem` are one timed rule
each; `alarms` collects what has come due from them and `next` puts the first of it into a sentence.
`proposal` derives a severity, `communication` fills the templates, `evidence` says what shows that a
checklist item is done.

Every rule is a function of the incident and `now`. Imports `record/` and `isla_console.text`. Begin with
`clocks`.
"""
