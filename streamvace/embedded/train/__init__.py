"""The training program of the embedded model: world, codec, base, causal, decoder, evaluation, package."""
