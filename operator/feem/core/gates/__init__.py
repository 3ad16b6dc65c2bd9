"""Gates: what a change has to satisfy before it goes on. Pure: facts in, everything that is missing out, all at once."""
