"""Measures of predictions and of music: from scores or log-probabilities to figures."""
