"""A scripted release and its audit log, made without a cluster by the operator's own code: for trying verifiers, and for the docs."""
