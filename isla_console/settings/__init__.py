"""What a person must configure: the variables, their files, and the values they resolve to."""
