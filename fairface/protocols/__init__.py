"""Pair lists and verification sets in, :class:`~fairface.comparisons.Comparisons` out. No MXNet."""
