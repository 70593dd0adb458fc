"""The rehearsal platform: a real PostgreSQL, real HTTP services, faults and scenarios."""
