"""Corpora: where works come from, what is kept of them, their split and their storage."""
