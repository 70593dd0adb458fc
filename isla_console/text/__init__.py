"""Text that is shown or stored: made harmless, short and free of secrets, with times written one way.

`plain` makes text from outside visible and powerless, `brief` also makes it short, `markdown` embeds it in a
document. `redact` takes secrets out in every spelling (`spellings`). `times` writes and reads moments,
`spans` writes distances in time: nothing else in the console formats either.

Imports `settings` for its `Secret` alone. Begin with `plain`, then `redact`.
"""
