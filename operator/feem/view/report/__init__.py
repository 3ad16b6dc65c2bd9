"""The evidence report: one printable page about one release, made of what an evidence pack holds."""
