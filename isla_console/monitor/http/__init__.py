"""How sources ask over HTTP.

`inputs` fills `${NAME}` and builds the request, `prober` makes it and times its phases, `answers` reads JSON
and keeps a polite pace, `json_value` takes one number out of it. Begin with `prober`.
"""
