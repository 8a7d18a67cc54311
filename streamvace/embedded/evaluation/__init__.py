"""`streamvace evaluate`: scores the embedded model on held-out scenes with known masks and colours."""
