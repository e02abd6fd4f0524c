"""Benchmarks against transformers: `python -m tests.bench train`. They run by hand, on an idle machine."""
