"""Studies of many trainings: what data, size and method bring."""
