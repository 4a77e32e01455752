"""A page in the browser over everything that seqmusic does."""
