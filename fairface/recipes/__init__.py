"""Data sets that are built from a package, end to end."""
