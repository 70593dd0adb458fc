"""The commands that need no screen: incident list, show, export, import, and the report."""
