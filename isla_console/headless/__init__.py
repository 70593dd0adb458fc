"""The commands that need no screen: `incident list`, `show`, `export`, `import`, and `report`.

`parser` adds their arguments to the command line, `run` carries them out on a journal's file, `text` formats
incidents for people, and `files` writes a file whole or not at all.

Imports `incident/`, `journal/` and `isla_console.text`. Begin with `run`.
"""
