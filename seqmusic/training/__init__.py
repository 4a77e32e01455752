"""Training: settings, batches, the loop, devices and processes."""
