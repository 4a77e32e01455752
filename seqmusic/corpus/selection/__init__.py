"""Which works are kept, why others are dropped, which share a tune, and the split."""
