"""The commands that need no screen: incident list, show, export, import, and the report.

`parser.add_commands` adds their arguments, `run.run` carries them out.
"""
