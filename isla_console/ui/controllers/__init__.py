"""What a person does: each command of the registry, carried out.

A deed asks on a sheet, lets the incident's commands check it, and records the events; what is refused is said
with its reason and nothing is written. One module an area; the app is made of all of them.
"""
