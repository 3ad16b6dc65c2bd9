"""The finalizer that stands on an object while FEEM owes a clean-up for it."""

FINALIZER = "feem.dev/cleanup"
"""On a ManagedService while FEEM governs for it, on a Release until all it made is taken away, on a ChaosRun until its fault is."""
