"""The terminal, and everything that uses private parts of Textual.

`app` is the base of the application, `painter`, `compositor` and `screen` draw less than Textual does,
`key_queue` keeps keys in turn, `driver`, `clipboard`, `editor` and `multiplexer` talk to the terminal itself.
Between the terminal and Textual stands `console_driver`: it reads by `decoder`, writes by `output`; `ending`
hears the signals, `suitable` refuses a terminal without a screen.

No other package imports `textual._*` or uses a private attribute of a Textual object. Each use, its reason
and when it may go is listed in docs/textual-internals.md; tests/ui/terminal/test_textual_internals.py fails
when a version of Textual has changed one of them. Begin with `app`.
"""
