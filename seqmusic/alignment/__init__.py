"""A model tuned by preferences."""
