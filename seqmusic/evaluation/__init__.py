"""The assessment of one model on held-out works."""
