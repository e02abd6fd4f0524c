"""What leaves a run: one HTML file with its evidence, and its answers for other programs."""
