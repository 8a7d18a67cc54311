"""Status outputs, metrics, keys of the window, and the greeting on the console."""
