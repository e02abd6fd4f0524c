"""Runs as the page sees them: the child processes it starts, and what the browser polls."""
