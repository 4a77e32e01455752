"""A score recast as another kind of piece."""
