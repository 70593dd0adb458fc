"""The drill's own PostgreSQL: the server, a ready-made cluster to copy, and the database in it."""
