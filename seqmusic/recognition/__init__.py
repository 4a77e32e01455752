"""What a score is: its repertory, recognized by trained statistics; its techniques, by rule."""
