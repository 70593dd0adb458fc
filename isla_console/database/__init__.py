"""PostgreSQL as an incident meets it: a connection that is kept open and never hammers the server.

`session` is that connection, for whoever measures or runs statements over it; `dsn` reads an address without
connecting, and keeps its password secret; `failures` puts an error into words and says what becomes of the
connection.

Knows neither runbook nor incident. Imports `settings` (for `Secret`), `net` and `text`. Begin with `session`.
"""
