"""The drill's platform: a process with a real PostgreSQL, real HTTP services, and the faults in force.

`supervisor` is the process and owns its folder (`runs`), its server (`postgres`) and the `live` platform;
`services` are the stand-ins, `workload` is what goes on in the database, `control_service` is the remote
control that the console asks, and `journal_watch` reads what the engineer did from the drill's journal.
Starlette, uvicorn and the embedded PostgreSQL are imported in this package only: they are an extra.
"""
