"""Measures of predictions and of music: pure functions from scores or log-probabilities to figures."""
