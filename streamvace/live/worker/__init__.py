"""The worker process, and the stage's end of it."""
