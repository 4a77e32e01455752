"""Training runs: configuration, data, folder and checkpoints; and the pretrained models."""
