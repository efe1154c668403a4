"""Verification sets: ``.bin`` files and memory files."""
