"""Recorded reference tensors replayed through the networks and the stream."""
