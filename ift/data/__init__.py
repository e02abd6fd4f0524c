"""Stage 1, from records to batches: files, templates, tokens with roles, batches with shifted targets. No torch."""
