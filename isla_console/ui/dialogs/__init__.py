"""The sheets that ask before something is journalled: their questions and choices."""
