"""Spout in and out."""
