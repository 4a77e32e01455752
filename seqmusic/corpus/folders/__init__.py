"""A corpus of anyone's own files, prepared in a folder on disk: read in parallel, cleaned, split, and kept as shards and columns."""
