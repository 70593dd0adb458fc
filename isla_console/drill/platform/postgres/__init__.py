"""The drill's own PostgreSQL.

`server` runs its programs, `template` keeps a ready-made cluster to copy, and `database` makes the roles, the
schema and thirty days of rows. Knows neither scenario nor services. Begin with `server`.
"""
