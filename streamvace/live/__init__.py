"""`streamvace run`: puts the parts of a show together and runs the main loop."""
