"""Whose the fields of an object are, as the API server keeps book of it (`managedFields`)."""

FIELD_MANAGER = "feem"
"""The name under which FEEM writes; what gives fields back to their owner looks for it."""
