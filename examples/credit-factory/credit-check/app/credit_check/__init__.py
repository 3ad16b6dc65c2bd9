"""The credit-check service of the credit factory: one report per application, from a synthetic credit bureau."""
