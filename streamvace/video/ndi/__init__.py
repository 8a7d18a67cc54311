"""NDI in and out."""
