"""Pair lists and verification sets in, :class:`~fairface.protocols.comparisons.Comparisons` out. No MXNet."""
