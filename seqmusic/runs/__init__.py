"""A training run: its configuration, data, folder, checkpoints, and the models that come with seqmusic."""
