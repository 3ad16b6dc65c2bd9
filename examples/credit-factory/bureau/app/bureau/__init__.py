"""A synthetic credit bureau: what a bank asks about its applicants. It knows nobody; it makes every record up."""
