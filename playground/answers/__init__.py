"""Tab 4's data: the table of held-out records, one record under the glass, and the chat with both models."""
