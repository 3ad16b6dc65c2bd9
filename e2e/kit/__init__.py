"""What demo and end-to-end tests do with a cluster: install FEEM through its chart, run the example, drive and watch releases."""
