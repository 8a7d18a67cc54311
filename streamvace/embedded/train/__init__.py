"""Training of the embedded model: samples, networks, stages, codec, and the package that ships."""
