"""What several tabs use: groups of widgets with their handlers."""
