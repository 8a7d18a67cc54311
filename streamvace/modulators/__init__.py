"""Modulators: what moves parameters by itself, from chunk to chunk and from tick to tick."""
