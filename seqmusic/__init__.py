"""seqmusic learns from scores and continues a partial theme."""

__version__ = "0.1.0"
