"""MIDI files: read byte by byte into scores whatever is damaged in them, and written."""
