"""Stage 3: the held-out records, answered before and after fine-tuning, scored and compared."""
