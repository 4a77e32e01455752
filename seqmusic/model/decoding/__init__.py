"""Decoders: a trained transformer, one event at a time."""
