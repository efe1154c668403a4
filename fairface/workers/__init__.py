"""Several processes that train as one: how they are started, how they exchange arrays, how they notice each other's end."""
