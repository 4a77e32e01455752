"""MusicXML: the tree of a file, its notes measure by measure, and the score they make."""
