"""What a data set holds, what is wrong with it, and getting it out again."""
