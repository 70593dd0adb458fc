"""What an incident is: its events, and the incident they fold into.

`ids` makes an event's id, `kinds` is the table of every kind of event and the data it carries, `events` the
event itself, `policy` the rules that an incident freezes when it is declared, `facts` the incident as data,
`state` the fold from events to incident, and `words` an event as a sentence.

Imports `isla_console.text` and nothing else of the console. Begin with `kinds`, then `facts`.
"""
