"""The runbook: what may be written in one, reading it, and finding what is wrong with it.

`model` (with `steps`, `watch`, `people`, `bound`) is the document as frozen data; `load` makes it from a file
by way of `files`, `nodes` (YAML that remembers its places) and `shapes`; `rules/` holds what must be true
across the document, `findings` what is said about it; `check` is `isla-console check`, `search` finds words,
`schema` is the JSON Schema.

Imports `isla_console.text` and nothing else of the console. Begin with `model`.
"""
