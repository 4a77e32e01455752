"""How well classifiers that never saw a tune can tell two kinds of music apart."""
