"""What goes on in the drill's database, normally and with faults that consist of rows and sessions.

`traffic` is visitors and scheduled jobs, `sessions` the platform's own connections, `lock_queue` and
`analytics` are faults. Each follows the faults in force until it is cancelled. Begin with `traffic`.
"""
