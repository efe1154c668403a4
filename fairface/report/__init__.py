"""Results to tables and pictures. No MXNet."""
