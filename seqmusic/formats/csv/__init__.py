"""CSV files in two layouts: a list of notes, and a grid."""
