"""How sources ask over HTTP: the request with its inputs in place, made, and its JSON answer read."""
