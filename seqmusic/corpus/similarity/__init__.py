"""Which works are the same music or share a tune: digests of passages, compared by sorting."""
