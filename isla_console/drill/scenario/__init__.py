"""What goes wrong in a drill, as data, and how it unfolds.

`model` is a scenario, read from `scenarios/*.yaml`; `faults` are what can break, `actions` what people do
about it. `runner` lets a scenario unfold in time and writes the log, whose entries are in `entry`; `speed`
shortens the rules of a quick drill.

Nothing here knows how the platform makes a fault real. Begin with `model`.
"""
