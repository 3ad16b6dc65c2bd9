"""Change windows and freezes: when they open and close, in whose time zone, for whom. Pure: the time is an argument."""
