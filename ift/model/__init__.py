"""Stage 2, the model: GPT-2, its loss and its answers, and the way from a name to weights."""
