"""Stand-ins for every service that the console and the runbook ask, with their documented answers."""
