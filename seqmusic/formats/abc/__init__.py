"""ABC: a tune split into its voices, and the notes of each."""
