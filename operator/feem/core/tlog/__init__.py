"""A transparency log as outsiders know it: Merkle trees of RFC 6962 and RFC 9162, notes, checkpoints, tiles and proofs of C2SP."""
