"""What the SQL page and SQL steps do, without a screen: judge statements, read, write on purpose, export.

`classify` is the guard: it gives a `verdict` on a statement by PostgreSQL's own grammar, and `catalogue` asks
the server what the text alone cannot tell. `engine` runs what reads, `writing` what changes something, each
on a connection that `database` keeps. `sessions`, `health` and `progress` say how the server is; `rows`,
`result`, `values`, `export` and `errors` are what comes of a statement. Each query of ours is a file in
`queries/`.

Imports `database`, `settings` and `text`; knows neither incident nor runbook. Begin with `verdict`.
"""
