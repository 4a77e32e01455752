"""Scores as sequences of events: vocabulary, grammar, encoding and decoding."""
