"""One stream of chunks: the generator, its state, and how its networks are loaded."""
