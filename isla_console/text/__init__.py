"""Text for people and from outside: made harmless, short, free of secrets; and times as they are written."""
