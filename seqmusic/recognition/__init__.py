"""What a score is: its style and its techniques (`techniques`, one module for each)."""
