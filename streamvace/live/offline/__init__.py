"""Rendering without a clock."""
