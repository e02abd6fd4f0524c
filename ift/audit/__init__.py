"""What a template and a mask make of a data set: the linter and its rules, the boundary, statistics. No torch."""
