"""Thin tabs: widgets, handlers that read values, call `ift` and return a view, and the wiring between them."""
