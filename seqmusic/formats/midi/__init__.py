"""MIDI files: repaired byte by byte, read into scores, written."""
