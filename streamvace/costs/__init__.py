"""A model of what a chunk costs on a card, with its assumptions as data. Estimates, never measurements."""
