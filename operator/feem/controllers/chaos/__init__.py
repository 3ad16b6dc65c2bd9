"""The controllers of experiments and their runs."""
