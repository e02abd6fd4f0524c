"""Several runs: side by side, as twins with one difference, and played again. No torch."""
