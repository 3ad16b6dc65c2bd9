"""Whether FEEM's admission policies are in force as shipped. Pure: bodies in, what is weaker out."""
