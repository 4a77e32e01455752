"""What a score is: its style and its techniques."""
