"""Stage 2, fine-tuning: the trainer, its schedule, checkpoints, resuming, several processes, estimates."""
