"""Pages, charts and pictures of scores and results."""
