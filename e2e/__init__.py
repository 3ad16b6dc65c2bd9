"""End-to-end proof: the cluster maker and the scenarios that run on real clusters."""
