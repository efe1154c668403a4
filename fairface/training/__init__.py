"""The loop around a method: schedule, stages and freezing, checkpoints, hooks."""
