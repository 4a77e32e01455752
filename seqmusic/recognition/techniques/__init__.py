"""Techniques of composition, each found by a rule: one module for each technique."""
