"""The SQL pane."""
