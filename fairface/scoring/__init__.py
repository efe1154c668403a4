"""Arrays in, frozen results out: pure functions, no input or output, no MXNet."""
