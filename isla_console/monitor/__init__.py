"""What is true out there: probes, metrics, and whether we can see at all."""
