"""Neural networks and their settings."""
