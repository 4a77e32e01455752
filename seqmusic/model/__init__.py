"""Neural networks, their settings, and decoding."""
