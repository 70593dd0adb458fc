"""The configuration: the variables, the files they may come from, and the values they resolve to.

`variables` is the table of everything that can be configured, from which `.env.example` and the README's
table are made; `resolve` finds each value (`Settings.load`); `files` reads the config file and files that
hold one value; `secret` is a text that does not show itself.

Imports nothing else of the console: every other room may know it. Begin with `resolve`.
"""
