"""A run's folder, its event log and state, the life of its process, and the ranks that share it. No torch."""
