"""The programs: each file parses its options, calls the library and prints."""
