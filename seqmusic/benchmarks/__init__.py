"""Comparisons with a fixed protocol, each with one command."""
