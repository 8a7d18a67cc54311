"""Syphon in and out."""
