"""The studio: a page on this machine to hear, see and steer what the package composes.

Here are routes, sessions and processes; whatever is decided about music is decided elsewhere.
"""
