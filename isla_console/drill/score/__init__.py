"""How a drill went: the record that is kept of it, its score, and the report that compares drills."""
