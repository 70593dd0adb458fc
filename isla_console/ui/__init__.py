"""The full-screen console in Textual: it draws a `ConsoleState` and passes on what a person asks for.

From the bottom up: `theme` and `commands` (the registry), `lines` (rows as text), `terminal/` (all that is
private to Textual), `views/` (pure functions from state to lines) and `widgets/`, `sheets/` (modal screens),
`pages/` and `main/` (the one screen), `shell` (the application), `controllers/` (what each command does),
`program` (which joins them) and `start`.

Imports `session` and what lies below it; has no rule of an incident. Begin with `shell`, then `main/screen`.
"""
