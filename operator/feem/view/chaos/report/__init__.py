"""The report of a chaos game day, as one HTML page that needs nothing else."""
