"""Scores that are changed by the scores of other pairs: for a closed list of pairs, not for one comparison alone."""
