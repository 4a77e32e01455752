"""Music without end, in segments of eight bars: their plan, their composition, their figures."""
