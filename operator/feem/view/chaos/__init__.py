"""Chaos as people want to see it: runs as they happen, what is planned, and the report of a game day."""
