"""Composing: prompts, constraints, sampling, and the tasks built on them."""
