"""MusicXML, MEI, kern and ABC through music21; the only modules that import it."""
