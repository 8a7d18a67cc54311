"""The output clock and where its pictures go."""
