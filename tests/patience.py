"""How long a test waits for something that must come."""

PATIENCE_S = 180.0
"""An event ends every such wait, so a generous limit costs nothing, and a busy machine fails no test."""
