"""The SQL pane without a screen: the guard, the kept connections, sessions, health, writing, export."""
