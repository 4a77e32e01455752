"""What a score is: its repertory, recognized by trained statistics, and its techniques, by rule."""
