"""The grammar for many pieces at once, in array operations; `GrammarState` is its oracle."""
