"""What leaves for training: splits, formats, checks, and the manifest that proves it."""
