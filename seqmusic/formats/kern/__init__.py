"""Kern (Humdrum): spines side by side, one line of the file for each moment."""
