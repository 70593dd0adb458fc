"""PostgreSQL as an incident meets it: a connection that is kept open and never hammers the server.

`session` is that connection, for whoever measures or runs statements over it: nothing is set on it but for a
transaction, because a pooler may hand it on. `driver` is asyncpg without its session-wide habits, giving each
value as PostgreSQL's own text; `values` reads of that text what the console computes with; `incoming` bounds
the bytes as they arrive. `dsn` reads an address without connecting, and keeps its password secret; `failures`
puts an error into words.

Knows neither runbook nor incident. Imports `settings` (for `Secret`), `net` and `text`. Begin with `session`.
"""
