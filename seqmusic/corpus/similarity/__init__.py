"""Which works are the same music or share a tune: digests of passages, found alike by sorting."""
