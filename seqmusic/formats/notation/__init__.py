"""MEI, and the writing of MusicXML, through music21; the only modules that import it."""
