"""MusicXML and MEI through music21; the only modules that import it."""
