"""Decides what shapes the next chunk, and finishes chunks for the output."""
