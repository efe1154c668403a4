"""The programs: each file parses its options, calls the library and prints; ``catalog`` lists them.

Each has ``main(argv, prog="")``, which returns the exit code or None; ``prog`` is what usage lines call it.
"""
