"""A corpus of the user's files, read in parallel and kept on disk in shards and columns."""
