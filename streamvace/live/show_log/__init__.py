"""The log of a show: writing it live, and reading it back."""
