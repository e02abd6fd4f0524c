"""The learning rate of each step."""

import math

from ift.config import TrainConfig


def learning_rate(config: TrainConfig, step: int, total_steps: int) -> float:
    """The rate of step 1 … total_steps: a rise over `warmup_steps`, then constant or falling to 0 after the last.

    `linear` falls in a straight line, `cosine` along half a wave (Loshchilov & Hutter 2017, without restarts).
    """
    if step <= config.warmup_steps:
        return config.learning_rate * step / config.warmup_steps
    if config.lr_scheduler_type == "constant":
        return config.learning_rate
    left = (total_steps - step + 1) / max(1, total_steps - config.warmup_steps)  # 1 after the warm-up
    return config.learning_rate * (left if config.lr_scheduler_type == "linear" else (1 - math.cos(math.pi * left)) / 2)
