"""Where events are kept: one SQLite file on this host that several consoles share.

`local` is that file, `store` keeps it open for a running console and folds what is in it, `interchange`
exports and imports JSON lines, and `recorded` reads a journal that is not ours to write, for a replay.

Nothing is ever updated or deleted. Imports `incident.record` and `isla_console.text`. Begin with `local`.
"""
