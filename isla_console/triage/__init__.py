"""Which issue is this? Pure: evidence in, ranked issues with their reasons out."""
