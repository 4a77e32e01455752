"""Searching for good candidates: a judge, a population that it selects from, and a ranking."""
