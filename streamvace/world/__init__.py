"""The procedural world that the embedded model is trained on, and its vocabulary."""
