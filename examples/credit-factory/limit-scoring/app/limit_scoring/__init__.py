"""The limit-scoring service of the credit factory: one synthetic decision per application."""
