"""A run's configuration: YAML and ``key=value`` overrides in, typed frozen dataclasses out."""
