"""The terminal, and all that the console does with parts of Textual that are private to it.

No other package imports `textual._*` or touches a private attribute of a Textual object. Each use, why it is
there and when it may go is listed in docs/textual-internals.md; tests/ui/terminal/test_textual_internals.py
fails when a version of Textual has changed one of them.
"""
