"""Chaos: what an experiment does, to whom, when, and how all of it is taken back."""
