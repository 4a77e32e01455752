"""Studies of many trainings: the effects of data, model size, model family and fine-tuning."""
