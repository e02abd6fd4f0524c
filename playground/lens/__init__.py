"""The batch lens: what decides the grid, how it is drawn, what the browser asks about it."""
