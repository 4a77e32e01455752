"""Alignment: a model learns from preferences, which come from rules, a judge or people."""
