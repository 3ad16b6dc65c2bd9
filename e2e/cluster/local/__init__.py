"""Backend `local`: a cluster made of processes of this machine, built from Go modules, without a container engine."""
