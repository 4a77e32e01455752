"""Ways to run a trained transformer one event at a time."""
