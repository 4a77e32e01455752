"""Corpora: where works come from, cleaning, tune families, split, storage."""
