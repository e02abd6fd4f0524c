"""Supervised instruction fine-tuning of GPT-2, from the prompt template to the held-out score."""

__version__ = "0.1.0"
