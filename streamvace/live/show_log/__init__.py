"""The log of a show."""
