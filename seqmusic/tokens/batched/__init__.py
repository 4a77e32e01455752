"""The grammar for many pieces at once, with array operations; the step-by-step grammar is its oracle."""
