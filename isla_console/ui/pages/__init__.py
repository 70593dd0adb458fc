"""Pages that rows alone cannot make: each a widget that draws the newest `ConsoleState`."""
