"""What is watched: one class a kind of source, each with `ask`, `observe` and `reading` (see `source`).

A new kind of metric source is one file here and one line in `table`.
"""
