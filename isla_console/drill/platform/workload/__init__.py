"""What goes on in the drill's database: visitors, jobs and sessions, and the faults that are made of rows."""
